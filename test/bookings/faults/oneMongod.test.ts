import { testCrashesAndStalls, testWritesSentTwice } from './scenarios.js'

const options = () => Promise.resolve({})

testCrashesAndStalls(options)
testWritesSentTwice(options)
