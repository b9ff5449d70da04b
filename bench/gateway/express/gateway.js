// What is compared with: Express with http-proxy-middleware, a request id, a rate limit and a log line, as most guides build
// an API gateway.
const crypto = require("node:crypto");
const fs = require("node:fs");
const express = require("express");
const { rateLimit } = require("express-rate-limit");
const { createProxyMiddleware } = require("http-proxy-middleware");

const app = express();
const log = fs.createWriteStream(`${process.env.HERE}/access.log`);

app.use((request, response, next) => {
  const started = Date.now();
  request.headers["x-request-id"] ??= crypto.randomUUID();
  response.setHeader("x-request-id", request.headers["x-request-id"]);
  response.on("finish", () => log.write(`${request.method} ${request.url} ${response.statusCode} ${Date.now() - started}ms\n`));
  next();
});
app.use(rateLimit({ windowMs: 1000, limit: 1_000_000, standardHeaders: true, legacyHeaders: false }));
app.use("/", createProxyMiddleware({ target: "http://127.0.0.1:9100", changeOrigin: true, timeout: 5000, proxyTimeout: 5000, logLevel: "silent" }));
app.listen(9203, "127.0.0.1");
