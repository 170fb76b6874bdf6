/**
 * Faults of other platforms of this kind that must be impossible here, by number. A test that proves it for one cites it in its
 * title, as in `[S1] …`; a fault that no test cites fails `npm test`, and so does an unknown number.
 */
export const faults: Readonly<Record<string, string>> = {
  S1: 'A header says who is asking, and is believed.',
  S2: 'A session takes over the identity of another one that its creator names as its parent.',
  S3: 'A template or body says in whose name a session runs.',
  S4: 'Whoever can write to the cluster, or copies a session, decides in whose name it runs.',
  S5: 'A key or service account acts with the rights of the person who made it, or whom an annotation names.',
  S6: 'The backend may be anybody in the cluster, and a claim may name a group of the system’s.',
  S7: 'A sign-in flow is finished for somebody else, because its state is not bound to who began it.',
  S8: 'A log is found by the name of a session alone, so that another project’s members can read it.',
  S9: 'The token of the person who asks is passed on to where the agent runs.',
  S10: 'Keys and tokens stand in the agent’s environment.',
  S11: 'Keys of the storage of all projects stand in the specification of a pod.',
  S12: 'A runner may read the secrets of other sessions.',
  S13: 'What the agent runs reaches the network, runs as root, or holds a token of the cluster.',
  S14: 'Something that every pod has is enough to be given a token for the whole platform.',
  S15: 'A secret that comes in pieces, or in events of other kinds, is stored and shown.',
  S16: 'An identity that is empty passes for one that may.',
  S17: 'An address that a user sets leads the backend into its own network, or takes a token along.',
  S18: 'An update sets fields that only the platform may set.',
  S19: 'Secrets are given out again, tokens travel in addresses, any origin may ask, or hiding misses short ones.',
  S20: 'What was taken away stays, because taking it away failed in silence.',
  S21: 'A right that was taken away counts on for a while, or is checked for less than what is done.',
  S22: 'An installation of a GitHub App is used by somebody who never proved that it is theirs, with all rights that it has.',
}
