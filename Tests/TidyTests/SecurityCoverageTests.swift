import Foundation
import Testing

/// `docs/security-coverage.md` is made from the names of tests, so that it cannot say more than is tested.
@Suite("Security coverage")
struct SecurityCoverageTests {
    @Test("the page is what the tests' names say; PYAIRTABLE_REWRITE=1 writes it")
    func page() throws {
        let file = Repository.root.appendingPathComponent("docs/security-coverage.md")
        let expected = try Self.page(tests: Self.tests())
        if ProcessInfo.processInfo.environment["PYAIRTABLE_REWRITE"] == "1" {
            try Data(expected.utf8).write(to: file)
        }
        let text = try #require(try? String(contentsOf: file, encoding: .utf8), "docs/security-coverage.md is missing")
        // Not compared by `==`, whose failure would print both pages.
        let isCurrent = text == expected
        #expect(isCurrent, "PYAIRTABLE_REWRITE=1 swift test --filter SecurityCoverage, then read the difference")
    }

    @Test("every identifier in a test's name is one of the list")
    func known() throws {
        let known = Set(Self.requirements.map(\.id))
        for (id, tests) in try Self.tests() where !known.contains(id) {
            Issue.record("\(id) of \"\(tests[0].name)\" is no requirement: \(tests[0].file)")
        }
        #expect(known.count == Self.requirements.count)
    }

    struct NamedTest: Hashable {
        let name: String
        let file: String
    }

    /// Tests by the identifiers in front of the colon of their names.
    static func tests() throws -> [String: [NamedTest]] {
        let test = try Regex(#"@Test\(\s*"([^"\\]*(?:\\.[^"\\]*)*)""#)
        let identifier = try Regex(#"^(?:[A-Z]{2,5}-[0-9]{2}(?:, | and )?)+: "#)
        var found: [String: [NamedTest]] = [:]
        for file in Repository.swiftTests where file.path != "Tests/TidyTests/SecurityCoverageTests.swift" {
            for match in file.text.matches(of: test) {
                let name = String(match.output[1].substring ?? "")
                guard let prefix = name.firstMatch(of: identifier) else { continue }
                let named = NamedTest(name: String(name[prefix.range.upperBound...]), file: file.path)
                for part in name[prefix.range].split(whereSeparator: { !$0.isLetter && !$0.isNumber && $0 != "-" })
                where part.contains("-") {
                    found[String(part), default: []].append(named)
                }
            }
        }
        return found
    }

    static func page(tests: [String: [NamedTest]]) -> String {
        let asked = requirements.filter { !$0.isLater }
        let open = asked.filter { $0.note == nil && tests[$0.id] == nil }
        var page = """
            # Security coverage

            Which test stands for which security requirement. Made from the names of tests: one that begins with `AUTH-05:` is
            AUTH-05's. `PYAIRTABLE_REWRITE=1 swift test --filter SecurityCoverage` writes this page, and a test fails when it
            is not what the tests say. A requirement without a test is **open**, whatever the code does.

            \(asked.count) requirements of this release, \(asked.count - open.count) with a test or a reviewed note, \
            \(open.count) open\(open.isEmpty ? "." : ": " + open.map(\.id).joined(separator: ", ") + ".")

            | id | requirement | tests |
            |---|---|---|

            """
        for requirement in requirements {
            let names = (tests[requirement.id] ?? []).sorted { ($0.file, $0.name) < ($1.file, $1.name) }.map { test in
                let file = test.file.split(separator: "/").last ?? ""
                return "\(test.name.replacing("|", with: "\\|")) ([\(file.dropLast(6))](../\(test.file)))"
            }
            let note = requirement.note.map { ["reviewed: \($0)"] } ?? []
            let cell = (names + note).joined(separator: "<br>")
            page +=
                "| \(requirement.id) | \(requirement.title) | \(cell.isEmpty ? requirement.isLater ? "later" : "**open**" : cell) |\n"
        }
        return page
    }

    struct Requirement {
        let id: String
        let title: String
        /// For what only a reviewer can see: what was looked at.
        let note: String?
        /// Whether this release may do without.
        let isLater: Bool

        init(_ id: String, _ title: String, note: String? = nil, isLater: Bool = false) {
            self.id = id
            self.title = title
            self.note = note
            self.isLater = isLater
        }
    }

    /// What is asked of this release.
    static let requirements = [
        Requirement("AUTH-01", "Passwords as Argon2id; older hashes verified and made anew"),
        Requirement("AUTH-02", "As many hashes at once as there are cores, then a bounded queue, then 503"),
        Requirement("AUTH-03", "8 to 128 characters of any script, normalised, never cut or trimmed"),
        Requirement("AUTH-04", "Common passwords and words of the context are refused"),
        Requirement("AUTH-05", "An unknown user and a wrong password are told apart by nothing"),
        Requirement("AUTH-06", "Registering, forgetting and inviting do not tell whether an address exists"),
        Requirement(
            "AUTH-07",
            "Guessing is slowed for each account, address and prefix, and others are not locked out"
        ),
        Requirement("AUTH-08", "No default account; the way to the first one closes behind it"),
        Requirement("AUTH-09", "A new password needs the present one and ends all other sessions"),
        Requirement("AUTH-10", "Reset tokens: random, hashed, once, an hour, dead after a change"),
        Requirement("AUTH-11", "A second factor by time-based codes", isLater: true),
        Requirement("AUTH-12", "Passkeys", isLater: true),
        Requirement("AUTH-13", "Addresses compared after NFKC and case folding, shown so that look-alikes show"),
        Requirement("AUTH-14", "People are told of new devices, changes and keys"),
        Requirement("TOK-01", "The algorithm is the key's, whatever a token says"),
        Requirement("TOK-02", "Ed25519 by default; weak secrets refused at start"),
        Requirement("TOK-03", "Keys from own configuration only; unknown headers refused"),
        Requirement("TOK-04", "Times required, whole, short, with a minute of leeway"),
        Requirement("TOK-05", "Issuer, audience and kind exact; no token for another purpose"),
        Requirement("TOK-06", "Signature before claims; odd encodings refused"),
        Requirement("TOK-07", "Logout, disabling and role changes act within a second"),
        Requirement("TOK-08", "Keys rotate without a pause; only public parts are shown"),
        Requirement("TOK-09", "Tokens in headers only; sockets by header or ticket"),
        Requirement("TOK-10", "Malformed Authorization headers give 400 or 401"),
        Requirement("REF-01", "Refresh tokens opaque, random, hashed, bound"),
        Requirement("REF-02", "Used once; a second use ends the family and is audited"),
        Requirement("REF-03", "Of two at once, one gets a pair"),
        Requirement("REF-04", "Absolute and idle life"),
        Requirement("REF-05", "Logout, logout everywhere, sessions listed and revoked"),
        Requirement("KEY-01", "API keys recognisable, random, checksummed, shown once, stored as hashes"),
        Requirement("KEY-02", "Scopes, bases, tables, expiry, addresses; never more than the owner"),
        Requirement("KEY-03", "Key texts are in no row, log or message"),
        Requirement("KEY-04", "Keys die with their owner and make none with more rights"),
        Requirement("KEY-05", "Credentials sealed by a tenant's key under a master key that rotates"),
        Requirement("OAU-04", "MCP over HTTP says where its authorization is and takes no other audience"),
        Requirement("AUTHZ-01", "Every route declares its permission; deny by default"),
        Requirement("AUTHZ-02", "Levels, roles, explicit deny: a pure decision, tested by tables"),
        Requirement("AUTHZ-03", "What may not be seen is as if it were not there"),
        Requirement("AUTHZ-04", "Hidden fields show nowhere; writing them is refused"),
        Requirement("AUTHZ-05", "Permission inside the index's query, before ranking"),
        Requirement("AUTHZ-06", "Members that nobody may set are refused"),
        Requirement("AUTHZ-07", "Nobody goes above their role or gives more than they have; a last owner stays"),
        Requirement("AUTHZ-08", "Batches and nested identifiers are checked one by one"),
        Requirement("AUTHZ-09", "Decisions cached by version, bounded, failing closed"),
        Requirement("AUTHZ-10", "No query without a tenant; row-level security on PostgreSQL"),
        Requirement("AUTHZ-11", "Why something is allowed or denied", isLater: true),
        Requirement("AUTHZ-12", "Open streams end when the right to them does"),
        Requirement("AUTHZ-13", "Agents act with their user's rights"),
        Requirement("INP-01", "SQL by bound parameters only"),
        Requirement("INP-02", "Bodies bounded as they are read"),
        Requirement("INP-03", "JSON bounded and strict, in linear time"),
        Requirement("INP-04", "Formulas by an own parser within limits"),
        Requirement("INP-05", "Identifiers match a pattern before they are used"),
        Requirement("INP-06", "Addresses that users give are resolved, checked and called as checked"),
        Requirement("INP-07", "CSV cells that a spreadsheet would run are neutralised"),
        Requirement("INP-08", "Content types enforced and honoured"),
        Requirement("INP-09", "Pages capped, cursors bound to their caller"),
        Requirement("INP-10", "Idempotency keys"),
        Requirement("INP-11", "No lost updates"),
        Requirement("INP-12", "Attachments typed by content, bounded, never run"),
        Requirement("GW-01", "Limits of heads, times and connections; slow clients starve nobody"),
        Requirement("GW-02", "Ambiguous requests are refused and the connection closed"),
        Requirement("GW-03", "Forwarding headers from trusted proxies only; identity headers never"),
        Requirement("GW-04", "Rate limits by tenant, user, key, address and cost, told in headers"),
        Requirement("GW-05", "CORS by an exact list"),
        Requirement("GW-06", "WebSockets: origin, size, rate, ping"),
        Requirement("GW-07", "Security headers"),
        Requirement("GW-08", "Methods: 405 for what is not there, HEAD and OPTIONS right, no override"),
        Requirement("GW-09", "Problem documents without inner workings"),
        Requirement("GW-10", "Request ids: strict, echoed, logged"),
        Requirement("GW-11", "Outgoing calls: deadline, retries, circuit, bulkhead"),
        Requirement("GW-12", "Health, readiness and metrics, telling nothing else"),
        Requirement("GW-13", "Shutdown loses no acknowledged write"),
        Requirement("GW-14", "Overload is shed, memory bounded, health reachable"),
        Requirement("GW-15", "TLS 1.2 and later; no silent redirect"),
        Requirement("AUD-01", "Who did what, append-only"),
        Requirement("AUD-02", "Any change, deletion, move or cut is found"),
        Requirement("AUD-03", "No secret, cell or prompt in logs, metrics or the audit log"),
        Requirement("AUD-04", "No text breaks out of a log line"),
        Requirement("AUD-05", "Queried and exported by the tenant's admins", isLater: true),
        Requirement("AUD-06", "What cannot be audited is not done; nothing is dropped in silence"),
        Requirement("LLM-01", "Permission, limits and secrets live outside the model"),
        Requirement("LLM-02", "Only tools that the user may use; reading by default"),
        Requirement(
            "LLM-03",
            "Writes are proposals until somebody approves exactly them",
            note:
                "one place takes agreement (Consent.swift), from the caller's form or a hash that was handed out; chat has no tool that writes"
        ),
        Requirement("LLM-04", "Arguments of tools are checked where they are used"),
        Requirement("LLM-05", "Untrusted text in data channels only"),
        Requirement("LLM-06", "Hidden characters are stripped or shown"),
        Requirement("LLM-07", "Nothing in an answer is fetched; no tool takes an address"),
        Requirement("LLM-08", "Budgets are reserved before each call and settled on every exit"),
        Requirement("LLM-09", "What a model says is data"),
        Requirement("LLM-10", "Citations are the server's, of what the asker may read"),
        Requirement("LLM-11", "Memory is visible, deletable and the user's own"),
        Requirement("LLM-12", "Vectors share the isolation and the end of their records"),
        Requirement("LLM-13", "No answer is shared between users"),
        Requirement("LLM-16", "Providers' keys reach nobody"),
        Requirement("DATA-01", "A user and a tenant can be exported and erased"),
        Requirement("DATA-02", "Backups are consistent, without secrets, and restored by one command"),
        Requirement("OPS-01", "Unsafe settings are refused at start"),
        Requirement(
            "OPS-02",
            "Dependencies pinned; nothing else from the network",
            note: "every package in Package.swift is `exact:`; the build contacts nothing else. No container image yet"
        ),
        Requirement("OPS-03", "Secrets by environment or file, never by argument; redacted when shown"),
        Requirement("OPS-04", "Parsers of network bytes are fuzzed"),
    ]
}
