# Compiles. Dependencies come before the sources, so that a change of the sources installs nothing again.
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/bundle.mjs scripts/copy-assets.mjs scripts/
COPY src src
RUN npm run build

# What production loads, and no more.
FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev
COPY scripts/prune-image.mjs scripts/
RUN node scripts/prune-image.mjs

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
COPY package.json LICENSE ./
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
# A number, because Kubernetes' runAsNonRoot cannot tell from a name who is root.
USER 1000:1000
# Loads every module of ours but those for browsers, what they import later, and every dependency: an image that was
# pruned too far is not built.
RUN ["node", "--input-type=module", "--eval", "\
  import { readdirSync, readFileSync } from 'node:fs'; \
  const modules = readdirSync('dist', { recursive: true }).filter((name) => name.endsWith('.js') && name !== 'main.js' && !name.includes('public/')); \
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')); \
  for (const name of modules) await import('./dist/' + name); \
  const lazy = /import[(]'([^'.][^']*)'[)]/g; \
  for (const name of modules) for (const [, late] of readFileSync('dist/' + name, 'utf8').matchAll(lazy)) await import(late); \
  for (const name of Object.keys(dependencies)) await import(name);"]
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "--eval", "fetch('http://127.0.0.1:' + (process.env.PORT || 3000) + '/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Node is process 1 and handles SIGTERM itself; arguments are commands, as in: docker run doorcode key
ENTRYPOINT ["node", "dist/main.js"]
