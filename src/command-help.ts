/** What `--help` says. */
export const HELP = `doorcode: one-time passwords by text message, with no database

Usage: doorcode [COMMAND]

  serve                   run the service (the default); configured by the environment
  key                     print a fresh key for SESSION_KEYS, or with --assertion for ASSERTION_KEY
  api-key NAME            make a key for a server that calls the API
  user add NAME PHONE     add a user to a users file, with a password from the prompt or standard input
  subject NAME            print what stands for a user, or a number, in the log
  unlock NAME             lift the lock of an account after too many wrong codes
  phone                   a phone for development, with SignalWire, Twilio and Plivo in front of it
  attack URL              attack a deployment of your own, and report what it refused

Every command explains itself with --help. Options: --help, --version`;

/** What each command says with `--help`, by its name. */
export const COMMAND_HELP: Readonly<Record<string, string>> = {
  serve: `Usage: doorcode [serve]

Runs the service. Settings come from the environment, and from a file .env in the current folder for names that the
environment does not set; README.md lists them. Stops on SIGTERM or SIGINT once requests in flight are answered.
Exit codes: 0 stopped, 1 failed to run (for instance the port is taken), 78 the configuration has faults.`,
  key: `Usage: doorcode key [--assertion]

Prints 32 random bytes in base64, a key for SESSION_KEYS. To rotate, put the new key in front of the old one, separated
by a comma, and drop the old one when SESSION_TTL has passed.

  --assertion      a private key for ASSERTION_KEY instead (Ed25519). To rotate, put the new key behind the old one, in
                   front of it ten minutes later, and drop the old one a minute after every replica knows that.`,
  user: `Usage: doorcode user add NAME PHONE [--file users.json] [--locale LOCALE]

Adds a user to the file that USERS_FILE names. The password is asked for without being shown, or read from the first
line of standard input; the file holds its argon2id hash only.

  NAME             what the user types to sign in
  PHONE            E.164, for instance +15550100101
  --file FILE      the users file, made when there is none (default: USERS_FILE, else users.json)
  --locale LOCALE  language of the user's messages, for instance en`,
  'api-key': `Usage: doorcode api-key NAME [--expires YYYY-MM-DD]

Makes a key for a server that calls /verifications: prints the key, which that server sends as "Authorization: Bearer
KEY" and which is shown this once, and its entry for API_KEYS, which holds its hash only. Entries are separated by
commas. To rotate, add a second entry of the same NAME, move the server over, and drop the first.

  NAME                    of the server, letters, digits, _, . and -
  --expires YYYY-MM-DD    the last day on which the key is good`,
  subject: `Usage: doorcode subject NAME

Prints what stands for a user, or for a phone number that a server had proved, in the field "subject" of the log. It
goes by the first of SESSION_KEYS, so that nobody else can find out names by trying.`,
  unlock: `Usage: doorcode unlock NAME

Lifts the lock that too many wrong codes put on an account, and forgets what led to it. Needs the REDIS_URL and the
SESSION_KEYS of the service. Without REDIS_URL the counts are in the memory of the service, and end with it.`,
  phone: `Usage: doorcode phone [--port 8443] [--page-port 8025] [--certificate phone-certificate.pem] [--fault P=F]

Takes messages and calls as SignalWire, Twilio and Plivo do, on one TLS port of this machine, checks them as strictly,
and shows them on a page. For development and tests: it sends nothing, and does not start with NODE_ENV=production.
Any account and token will do. Callbacks are signed with the token, SignalWire's as well; they go to this machine only.

  --port PORT         of the APIs, 0 for any (default: 8443)
  --page-port PORT    of the page, 0 for any, "off" for none (default: 8025)
  --certificate FILE  where its certificate is written, for NODE_EXTRA_CA_CERTS (default: phone-certificate.pem)
  --fault P=F         a provider misbehaves for every number: signalwire, twilio or plivo = rejected, opted_out,
                      too_many_requests, server_error, reset, hang, accepted_hang, slow, duplicate or undelivered

A number meets with a fault by its last three digits:

  901  refused: the number is not valid
  902  refused: the recipient has opted out
  903  429, too many requests
  904  500 with a page of HTML
  905  the connection is cut
  906  no answer, ever
  907  it arrives, but the answer stops half-way
  908  it arrives, 3 s late
  909  it arrives twice
  910  accepted, but never delivered`,
  attack: `Usage: doorcode attack URL [--user NAME]... [--password PASSWORD]... [--inbox 127.0.0.1:8026]
                       [--app URL] [--minutes 15] [--i-own-this-host]

Attacks a deployment of your own: guesses codes and passwords, one by one and at once, puts cookies back, swaps and
forges them, spoofs headers, asks for messages, and more; and says of each attempt whether it was refused, and what was
seen. It takes two minutes and five codes, which have to come here: start the deployment with the WEBHOOK_URL of the
inbox and the same WEBHOOK_SECRET as this command. It waits as long as the deployment asks it to. Afterwards the account
has few wrong passwords left from here, for a quarter of an hour, and a second account is locked.

  URL                  of the deployment, on this machine: http://127.0.0.1:3000
  --user NAME          an account whose codes go to the webhook (default: demo). A second one, with a phone of its own,
                       gets locked: only then is it tried whether that holds
  --password PASSWORD  of the users in their order, the last for all others (default: ATTACK_PASSWORD, else demo for
                       demo, else asked for). Others on this machine can see a command line
  --inbox HOST:PORT    where to listen for codes (default: 127.0.0.1:8026)
  --app URL            an app of your own behind the gateway. Without it, what reaches the app is not tried: other
                       protocols, cookies of doorcode, forged identity headers, assertions for other apps. It should
                       answer with the headers that it received; other apps show less
  --minutes N          the longest that it may take, 1 to 60 (default: 15)
  --i-own-this-host    attack a host that is not this machine. Do that to nobody else's

Exit codes: 0 nothing got through, 1 something did or no code came, 64 wrong arguments, 78 no WEBHOOK_SECRET.`,
};
