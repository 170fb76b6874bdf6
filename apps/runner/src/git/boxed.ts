export { runBoxed } from '@berth/git'
