import { testFaults, testWritesSentTwice } from './scenarios.js'

const options = () => Promise.resolve({})

testFaults(options)
testWritesSentTwice(options)
