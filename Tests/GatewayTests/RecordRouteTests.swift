import Access
import Airtable
import Database
import Domain
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import Gateway

@Suite("Bases, tables and records")
struct RecordRouteTests {
    @Test("bases and tables are listed and found")
    func bases() async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.router) { client in
                let root = "/api/v1/airtable/bases"
                let bases = try await client.send(.get, root, key: fixture.key)
                #expect(bases.status == 200)
                #expect(bases.headers[.contentType] == "application/json")
                #expect(BaseListWire.schema.violations(of: try #require(bases.json)) == [])
                #expect(bases.json?["bases"]?[0]?["name"] == "Periodic table")
                #expect(bases.json?["bases"]?[0]?["id"]?.stringValue == fixture.base.id.description)

                let base = try await client.send(.get, "\(root)/\(fixture.base.id)", key: fixture.key)
                #expect(base.json == bases.json?["bases"]?[0])

                let tables = try await client.send(.get, "\(root)/\(fixture.base.id)/tables", key: fixture.key)
                #expect(MetaTableListWire.schema.violations(of: try #require(tables.json)) == [])
                #expect(tables.json?["tables"]?.arrayValue?.count == 2)

                let table = try await client.send(.get, fixture.tablePath, key: fixture.key)
                #expect(table.json == tables.json?["tables"]?[0])
                let fields = try #require(table.json?["fields"]?.arrayValue)
                #expect(
                    fields.map { $0["type"]?.stringValue } == ["singleLineText", "singleSelect", "multipleRecordLinks"]
                )
                #expect(fields[1]["options"]?["choices"]?[0]?["name"] == "Gas")
                #expect(fields[2]["options"]?["linkedTableId"]?.stringValue == fixture.isotopes.id.description)
            }
        }
    }

    @Test("records come in pages, each once")
    func pages() async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.router) { client in
                var names: [String?] = []
                var offset: String?
                var pages = 0
                repeat {
                    let query = "?pageSize=2" + (offset.map { "&offset=\($0)" } ?? "")
                    let page = try await client.send(.get, "\(fixture.tablePath)/records\(query)", key: fixture.key)
                    #expect(page.status == 200)
                    #expect(RecordListWire.schema.violations(of: try #require(page.json)) == [])
                    let records = try #require(page.json?["records"]?.arrayValue)
                    names += records.map { $0["fields"]?["Name"]?.stringValue }
                    offset = page.json?["offset"]?.stringValue
                    pages += 1
                } while offset != nil && pages < 5
                #expect(names == ["Helium", "Iron", "Neon"])
                #expect(pages == 2)
                let all = try await client.send(.get, "\(fixture.tablePath)/records", key: fixture.key)
                #expect(all.json?["records"]?.arrayValue?.count == 3)
            }
        }
    }

    @Test("one record has names for what it links to")
    func record() async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.router) { client in
                let path = "\(fixture.tablePath)/records/\(fixture.records[0].id)"
                let record = try await client.send(.get, path, key: fixture.key)
                #expect(record.status == 200)
                #expect(RecordDetailWire.schema.violations(of: try #require(record.json)) == [])
                #expect(record.json?["fields"]?["State"] == "Gas")
                #expect(record.json?["linked"]?[0]?["name"] == "Helium-3")
                #expect(record.json?["linked"]?[0]?["tableId"]?.stringValue == fixture.isotopes.id.description)
                #expect(record.json?["linked"]?[0]?["id"] == record.json?["fields"]?["Isotopes"]?[0])
            }
        }
    }

    @Test("takes what Airtable's lists take")
    func parameters() async throws {
        try await withGateway { fixture in
            let path = fixture.tablePath + "/records"
            let view = try await fixture.airtable.createView(
                ViewDraft(name: "Gases", filter: "State='Gas'"),
                in: fixture.elements.id,
                context: fixture.owner
            )
            let lists: [(String, [JSONValue])] = [
                ("fields[]=Name&sort[0][field]=Name&sort[0][direction]=desc", ["Neon", "Iron", "Helium"]),
                ("fields[0]=Name&fields[1]=State&view=\(view.id)", ["Helium", "Neon"]),
                ("view=gases&filterByFormula=Name%3D'Neon'&recordMetadata[]=commentCount", ["Neon"]),
                ("maxRecords=1&cellFormat=string&timeZone=utc&userLocale=de", ["Helium"]),
            ]
            try await fixture.server().publicApplication.test(.router) { client in
                for (query, names) in lists {
                    let answer = try await client.send(.get, "\(path)?\(query)", key: fixture.key)
                    #expect(RecordListWire.schema.violations(of: try #require(answer.json)) == [], "\(query)")
                    #expect(answer.json?["records"]?.arrayValue?.map { $0["fields"]?["Name"] } == names, "\(query)")
                }
                let text = try await client.send(.get, "\(path)?\(lists[3].0)", key: fixture.key)
                #expect(text.json?["records"]?[0]?["fields"]?["Isotopes"] == "Helium-3")
                for (query, code) in [
                    ("view=Nowhere", "VIEW_NAME_NOT_FOUND"), ("filterByFormula=(", "INVALID_FILTER_BY_FORMULA"),
                    ("fields[]=Nope", "UNKNOWN_FIELD_NAME"),
                ] {
                    let refused = try await client.send(.get, "\(path)?\(query)", key: fixture.key)
                    #expect(refused.status == 400 && refused.code == code, "\(query)")
                }
            }
        }
    }

    @Test("INP-09: an offset that another user was given, or of which a letter is another, is refused")
    func sealedOffset() async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.router) { client in
                let path = "\(fixture.tablePath)/records"
                let page = try await client.send(.get, path + "?pageSize=1", key: fixture.key)
                let offset = try #require(page.json?["offset"]?.stringValue)
                let same = try await client.send(.get, path + "?pageSize=1&offset=\(offset)", key: fixture.key)
                #expect(same.status == 200)
                let inner = String(offset[..<(try #require(offset.lastIndex(of: ".")))])
                let other = try await fixture.access.createUser(name: "Somebody", context: fixture.owner)
                for wrong in [inner, offset + "0", String(offset.dropLast()), "x" + offset] {
                    let answer = try await client.send(.get, path + "?pageSize=1&offset=\(wrong)", key: fixture.key)
                    #expect(answer.status == 400, "\(wrong)")
                    let airtable = "/v0/\(fixture.base.id)/\(fixture.elements.id)?pageSize=1&offset=\(wrong)"
                    #expect(try await client.send(.get, airtable, key: fixture.key).status == 422, "\(wrong)")
                }
                for user in [other.id, fixture.owner.principal.user] {
                    let sealed = CallerCursor.seal(inner, fixture.elements.id, fixture.owner.tenant, user)
                    #expect((inner + "." + sealed == offset) == (user == fixture.owner.principal.user))
                }
            }
        }
    }

    @Test("an offset of another table is refused")
    func foreignOffset() async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.router) { client in
                let page = try await client.send(.get, "\(fixture.tablePath)/records?pageSize=1", key: fixture.key)
                let offset = try #require(page.json?["offset"]?.stringValue)
                let other = "/api/v1/airtable/bases/\(fixture.base.id)/tables/\(fixture.isotopes.id)/records"
                let answer = try await client.send(.get, "\(other)?offset=\(offset)", key: fixture.key)
                #expect(answer.status == 400 && answer.code == "invalidParameter")
            }
        }
    }

    @Test(
        "query parameters are few and exact",
        arguments: [
            "pageSize=0", "pageSize=101", "pageSize=-1", "pageSize=1.5", "pageSize=1e2", "pageSize=", "pageSize=٣",
            "pageSize=99999999999999999999", "pageSize=5&pageSize=6", "offset=nonsense", "offset=itr", "offset=%zz",
            "offset=%ff", "view=", "fields=Name", "sort[0]=Name", "sort[0][way]=asc", "%70ageSize=1&pageSize=2",
            "sort[0][field]=Name&sort[0][field]=State", "cellFormat=string", "maxRecords=0",
        ]
    )
    func query(_ query: String) async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.router) { client in
                let answer = try await client.send(.get, "\(fixture.tablePath)/records?\(query)", key: fixture.key)
                #expect(answer.status == 400, "\(answer.text)")
                #expect(answer.code == "invalidParameter")
            }
        }
    }

    @Test("an identifier of the wrong form, of nothing or of another parent is not found")
    func notFound() async throws {
        try await withGateway { fixture in
            let other = try await fixture.airtable.createBase(
                name: "Other",
                tables: [TableDraft(name: "T", fields: [FieldDraft(name: "Name", type: .singleLineText)])],
                context: fixture.owner
            )
            let root = "/api/v1/airtable/bases"
            let base = fixture.base.id
            let table = fixture.elements.id
            let record = fixture.records[0].id
            let paths = [
                "\(root)/\(BaseID.random())", "\(root)/\(table)", "\(root)/Periodic%20table", "\(root)/%2e%2e",
                "\(root)/\(BaseID.random())/tables", "\(root)/\(base)/tables/\(TableID.random())",
                "\(root)/\(base)/tables/Elements", "\(root)/\(other.base.id)/tables/\(table)",
                "\(root)/\(other.base.id)/tables/\(table)/records",
                "\(root)/\(other.base.id)/tables/\(table)/records/\(record)",
                "\(root)/\(base)/tables/\(table)/records/\(RecordID.random())",
                "\(root)/\(base)/tables/\(fixture.isotopes.id)/records/\(record)",
                "\(root)/\(base)/tables/\(table)/records/rec", "\(root)/\(base)/tables/\(table)/records/\(record)'--",
                "\(root)/\(base)/tables/\(table)/records/" + String(repeating: "r", count: 4_000),
            ]
            try await fixture.server().publicApplication.test(.router) { client in
                for path in paths {
                    let answer = try await client.send(.get, path, key: fixture.key)
                    #expect(answer.status == 404, "\(path.suffix(80))")
                    #expect(answer.json?["title"] == "Not found")
                }
            }
        }
    }

    @Test("a key limited to another base finds what it would of a base that is not there")
    func limited() async throws {
        try await withGateway { fixture in
            let key = try await fixture.key(Set(Permission.allCases), bases: [.random()])
            try await fixture.server().publicApplication.test(.router) { client in
                let bases = try await client.send(.get, "/api/v1/airtable/bases", key: key)
                #expect(bases.json?["bases"] == [])
                let missing = BaseID.random().description
                for path in ["", "/tables", "/tables/\(fixture.elements.id)", "/tables/\(fixture.elements.id)/records"]
                {
                    let hidden = try await client.send(
                        .get,
                        "/api/v1/airtable/bases/\(fixture.base.id)\(path)",
                        key: key
                    )
                    let none = try await client.send(.get, "/api/v1/airtable/bases/\(missing)\(path)", key: key)
                    #expect(hidden.status == 404)
                    for member in ["type", "title", "status", "detail", "code", "hint"] {
                        #expect(hidden.json?[member] == none.json?[member])
                    }
                }
            }
        }
    }

    @Test("another tenant finds nothing of this one")
    func otherTenant() async throws {
        try await withGateway { fixture in
            let key = try await fixture.strangerKey()
            try await fixture.server().publicApplication.test(.router) { client in
                let bases = try await client.send(.get, "/api/v1/airtable/bases", key: key)
                #expect(bases.status == 200)
                #expect(bases.json?["bases"] == [])
                let record = "\(fixture.tablePath)/records/\(fixture.records[0].id)"
                for path in [fixture.tablePath, "\(fixture.tablePath)/records", record] {
                    #expect(try await client.send(.get, path, key: key).status == 404)
                }
            }
        }
    }
}
