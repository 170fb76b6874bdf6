/**
 * Text without regard to case, for any script: lower, then upper, because only so `ẞ`, `ß` and `SS` meet, and a final
 * sigma the others.
 */
export const foldText = (text: string): string => text.normalize('NFKC').toLowerCase().toUpperCase()
