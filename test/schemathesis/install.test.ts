import { expect, it } from 'vitest'
import { checkPython } from './install.ts'

it('says what to install where there is no Python', async () => {
  await expect(checkPython('no-such-python')).rejects.toThrow(
    /needs Python 3\.10 or later as no-such-python.*\n.*apt-get install python3 python3-venv/,
  )
})
