// Ace over many EPUBs in one browser. In: EPUB paths, one a line, on stdin. Out: one JSON report a line, in that order.
// CHROMIUM names the browser. Exits with an error where an EPUB has no report: a missing report must never pass for a clean one.
'use strict';

const puppeteer = require('puppeteer');
const ace = require('@daisy/ace-core');
const runner = require('@daisy/ace-axe-runner-puppeteer');
const winston = require('winston');

const FLAGS = [
  '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage',
];
const launch = puppeteer.launch.bind(puppeteer);
puppeteer.launch = (options) =>
  launch({ ...options, timeout: 60000, executablePath: process.env.CHROMIUM, args: [...options.args, ...FLAGS] });

// The runner starts a browser for each EPUB; here one serves all.
const shared = { ...runner, launch: async () => {}, close: async () => {} };

async function main() {
  winston.configure({ transports: [new winston.transports.Console({ silent: true })] });
  const paths = require('fs').readFileSync(0, 'utf8').split('\n').filter(Boolean);
  const print = process.stdout.write.bind(process.stdout);
  process.stdout.write = () => true; // ace prints its report laid out over many lines; we print it on one
  await runner.launch();
  try {
    for (const path of paths) {
      const [, report] = await ace(path, { cwd: process.cwd(), initLogger: false }, shared);
      print(`${JSON.stringify(report)}\n`);
    }
  } finally {
    await runner.close();
  }
}

main().catch((error) => {
  process.stderr.write(`${(error && error.stack) || error}\n`);
  process.exit(1);
});
