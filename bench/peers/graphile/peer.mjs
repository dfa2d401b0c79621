// graphile-worker as `python -m bench versus postgres` needs it; see bench/versus/peer.py.

import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Logger, makeWorkerUtils, run } from "graphile-worker";
import pg from "pg";
import { Board } from "./board.mjs";

const PREFETCHED = 500;

const quiet = new Logger(() => (level, message) => {
  if (level === "error" || level === "warning") console.error(message);
});

async function serve(connectionString, boardPath, slots) {
  const board = new Board(boardPath);
  const runner = await run({
    preset: {
      worker: {
        connectionString,
        concurrentJobs: slots,
        // What its page about performance recommends for the highest rate.
        maxPoolSize: slots + 1,
        localQueue: { size: PREFETCHED },
        completeJobBatchDelay: 0,
        failJobBatchDelay: 0,
      },
    },
    logger: quiet,
    noHandleSignals: true,
    taskList: { count: async ({ number }) => board.count(number) },
  });
  process.once("SIGTERM", () => runner.stop());
  writeFileSync(`${boardPath}.${process.pid}`, "");
  await runner.promise;
  board.close();
}

async function store(connectionString) {
  const utils = await makeWorkerUtils({ connectionString, logger: quiet });
  const client = new pg.Client({ connectionString });
  await client.connect();
  await utils.migrate();
  const orders = {
    store: async (first, jobs, bulk) => {
      const began = performance.now();
      for (let start = first; start < first + jobs; start += bulk) {
        const length = Math.min(bulk, first + jobs - start);
        await utils.addJobs(
          Array.from({ length }, (_, index) => ({
            identifier: "count",
            payload: { number: start + index },
          })),
        );
      }
      return (performance.now() - began) / 1000;
    },
    left: async () => {
      const answer = await client.query("SELECT count(*)::int AS left FROM graphile_worker.jobs");
      return answer.rows[0].left;
    },
  };
  for await (const line of createInterface({ input: process.stdin })) {
    const [order, ...numbers] = line.split(" ");
    console.log(JSON.stringify(await orders[order](...numbers.map(Number))));
  }
  await client.end();
  await utils.release();
}

const [command, url, ...options] = process.argv.slice(2);
if (command === "serve") await serve(url, options[0], Number(options[1]));
else await store(url);
