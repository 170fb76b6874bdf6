/**
 * What Berth promises, by number. A test cites the promises that it keeps in its title, as in `[P1] …`; a promise
 * that no test cites fails `npm test`, and so does an unknown number. Numbers are never used again.
 */
export const promises: Readonly<Record<string, string>> = {
  P1: 'Imports follow the written table: ports never know their adapters, and nothing imports an app.',
  P2: 'The contract and the client run in a browser: they reach no Node built-in.',
  P3: 'A fresh clone needs one command: what is missing is installed, or one line says how.',
  P11: 'A prompt becomes a result on a branch, made by the real Claude Code in a sandbox; the origin is not touched.',
  P12: 'Conversation and files survive stop and resume; the owner is the author of the commits.',
  P13: 'Sessions run side by side and do not disturb each other.',
  P14: 'A tool that needs permission waits for a person and does what the person decides.',
  P15: 'A question reaches a person, and the answer reaches the agent.',
  P16: 'Prompts wait in order, can be withdrawn until their turn, and an interrupt keeps what was said.',
  P17: 'A deleted session can be restored until it is purged.',
  P18: 'Kill -9 of the backend loses no event, doubles none, and disturbs no running turn.',
  P19: 'Kill -9 of the runner is noticed with its reason, and the turn goes on once.',
  P20: 'Kill -9 of Claude Code is noticed, and the session goes on.',
  P21: 'Kill -9 before the agent is ready delivers the prompt once all the same.',
  P22: 'Kill -9 while a person is needed cancels the request, and the session goes on.',
  P23: 'Two backends never share one data directory.',
  P24: 'The model’s key is in no event, file, log line or environment that a session can see.',
  P25: 'What the model refuses is told as it is, and the session goes on.',
  P30: 'A repository’s configuration, hooks, filters, links and settings run nothing outside of the sandbox and give the agent no right.',
  P31: 'A repository that can’t be had is told with the reason, and after the repair the session goes on.',
  P32: 'Slow, stalled and flapping readers see what a replay gives, and the backend’s memory stays bounded.',
  P33: 'On a full disk nothing is half done, and the session goes on when there is room.',
  P80: 'A fork bomb or a memory hog in one session disturbs no other, and its own session goes on.',
  P34: 'A purge that a kill cut short is finished: nothing of the session is left on disk, and no process.',
  P75: 'What a session’s runner and agent write to their logs can be read afterwards: bounded, and without tokens.',
  P78: 'Every kind of event is shown to people as it should be, or left out on purpose.',
  P40: 'No more sessions live than the installation, the project and the memory allow; the others wait in a fair order, visibly.',
  P44: 'A backend that comes back counts the runners that it finds before it admits anybody.',
}
