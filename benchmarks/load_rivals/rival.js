// autocannon: POST one body at an overall rate (0 sets no limit); print the exact number of answers over two seconds.
const autocannon = require('autocannon')
const [url, rate, connections, duration] = process.argv.slice(2)
let all = 0
let late = 0
const options = {
  url: url + process.env.RIVAL_PATH, method: 'POST', body: process.env.RIVAL_BODY, timeout: 12,
  headers: { 'content-type': 'application/json' }, connections: Number(connections), duration: Number(duration)
}
if (Number(rate)) options.overallRate = Number(rate)
const instance = autocannon(options, (error, result) => {
  if (error) throw error
  console.log('RIVAL ' + JSON.stringify({ all, late, p99_ms: result.latency.p99 }))
})
instance.on('response', (client, status, bytes, ms) => { all += 1; if (ms > 2000) late += 1 })
