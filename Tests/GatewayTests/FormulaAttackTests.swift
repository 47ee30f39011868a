import Access
import Airtable
import Domain
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import TestSupport
import Testing

@testable import Gateway

@Suite("Formulas as attacks")
struct FormulaAttackTests {
    private static func nested(_ open: String, _ close: String, _ count: Int) -> String {
        String(repeating: open, count: count) + "1" + String(repeating: close, count: count)
    }

    /// No formulas, or formulas beyond the bounds: refused before a record is looked at.
    private static let refused: [(name: String, formula: String)] = [
        ("deep parentheses", nested("(", ")", 4_000)), ("deep calls", nested("ABS(", ")", 2_500)),
        ("deep conditions", nested("IF(1,", ")", 2_500)), ("signs", nested("-", "", 9_000)),
        ("open parentheses", String(repeating: "(", count: 10_000)),
        ("open texts", "'" + String(repeating: "x", count: 9_000)),
        ("open braces", String(repeating: "{", count: 5_000)), ("half an operator", "1+"),
        ("another language", "__import__('os').system('id')"), ("a statement", "'; DROP TABLE records; --"),
        ("a function of nobody", "EVAL('1')"), ("a template", "${7*7}"),
        ("a chain of commas", String(repeating: ",", count: 9_000)),
        ("a policy's function", "{Name}=CURRENT_USER()"), ("an unknown field", "{password}='x'"),
    ]

    /// Formulas that would take for ever, or all memory, were they not bounded: they hold for no record.
    private static let endless: [(name: String, formula: String)] = [
        ("nested repetition", "LEN(REPT(REPT(REPT('ab',1000),1000),1000))>0"),
        ("a long text", "LEN(REPT('x',1000000000))>0"),
        ("doubling", "LEN(" + (0..<40).reduce("'ab'") { text, _ in "SUBSTITUTE(\(text),'a','aa')" } + ")<0"),
        ("backtracking", "REGEX_MATCH(REPT('a',50000)&'!','^(a+)+$')"),
        ("alternation", "REGEX_MATCH(REPT('a',40000)&'b','^(a|a)*$')"),
        ("repeated repetition", "REGEX_MATCH('a','((a{100}){100}){100}')"),
        ("nested optional", "REGEX_MATCH(REPT('a',20000),'^(a?){500}a{500}$')"),
        ("a reference back", "REGEX_MATCH('aa','(a)\\\\1')"),
        ("replacing again and again", "LEN(REGEX_REPLACE(REPT('a',900000),'a(.*b)?',''))>5"),
        ("days without end", "DATEADD('2024-01-01',1e300,'days')"),
        ("working days without end", "WORKDAY('2024-01-01',1e12)"),
    ]

    private static func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? text
    }

    private static func quoted(_ text: String) -> String { JSONValue.string(text).text }

    @Test(
        "INP-04: what is no formula, or too deep a one, is refused wherever one may stand, and changes nothing",
        .timeLimit(.minutes(2)),
        arguments: DatabaseKind.allCases
    )
    func refusals(_ kind: DatabaseKind) async throws {
        try await withGateway(kind) { fixture in
            let table = "/v0/\(fixture.base.id)/\(fixture.elements.id)"
            let fields = fixture.elements.fields.count
            let guest = try await fixture.person()
            try await fixture.server().publicApplication.test(.router) { client in
                let key = fixture.key
                for (name, formula) in Self.refused {
                    let text = Self.quoted(formula)
                    var requests: [(HTTPRequest.Method, String, String?)] = [
                        (.post, table + "/listRecords", "{\"filterByFormula\":\(text)}"),
                        (
                            .post, "/v0/meta/bases/\(fixture.base.id)/tables/\(fixture.elements.id)/views",
                            "{\"name\":\"V\",\"type\":\"grid\",\"filterByFormula\":\(text)}"
                        ),
                        (
                            .post, "\(fixture.tablePath)/fields",
                            "{\"name\":\"F\",\"type\":\"formula\",\"options\":{\"formula\":\(text)}}"
                        ),
                        (
                            .post, "/api/v1/permissions/grants",
                            """
                            {"subject":{"user":"\(guest.id)"},"permissions":["records:read"],"condition":\(text),
                            "resource":{"base":"\(fixture.base.id)","table":"\(fixture.elements.id)"}}
                            """
                        ),
                    ]
                    let query = "?filterByFormula=\(Self.encoded(formula))"
                    if query.utf8.count < 15_000 { requests.append((.get, table + query, nil)) }
                    if query.utf8.count < 7_000 { requests.append((.get, "\(fixture.tablePath)/export\(query)", nil)) }
                    for (method, path, body) in requests {
                        // Only a policy may ask who reads.
                        if name == "a policy's function", path.hasSuffix("grants") { continue }
                        let answer = try await client.send(method, path, key: key, body: body)
                        // Where Airtable has no word for it, it is a bad request; a text that is too long fits no schema.
                        let statuses = path.hasPrefix("/v0/") ? [422] : [400, 422]
                        #expect(
                            statuses.contains(answer.status),
                            "\(name) at \(path.prefix(60)): \(answer.text.prefix(200))"
                        )
                        #expect(answer.text.utf8.count < 2_000, "\(name): the answer does not say it all again")
                    }
                }
                #expect(try await client.send(.get, table, key: key).json?["records"]?.arrayValue?.count == 3)
            }
            let after = try await fixture.airtable.table(id: fixture.elements.id, context: fixture.owner)
            #expect(after.fields.count == fields)
        }
    }

    @Test(
        "INP-04: what would take for ever ends, holds for no record, and the next request is answered",
        .timeLimit(.minutes(2)),
        arguments: DatabaseKind.allCases
    )
    func endless(_ kind: DatabaseKind) async throws {
        try await withGateway(kind) { fixture in
            let table = "/v0/\(fixture.base.id)/\(fixture.elements.id)"
            try await fixture.server().publicApplication.test(.router) { client in
                for (name, formula) in Self.endless {
                    let body = "{\"filterByFormula\":\(Self.quoted(formula))}"
                    let answer = try await client.send(.post, table + "/listRecords", key: fixture.key, body: body)
                    // No record, or that it is too much, said as the fault of the formula.
                    #expect([200, 422].contains(answer.status), "\(name): \(answer.text.prefix(200))")
                    #expect(
                        answer.status != 200 || answer.json?["records"] == [],
                        "\(name): \(answer.text.prefix(200))"
                    )
                }
                #expect(try await client.send(.get, table, key: fixture.key).status == 200)
            }
        }
    }
}
