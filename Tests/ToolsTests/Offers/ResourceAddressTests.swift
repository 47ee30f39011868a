import Domain
import TestSupport
import Testing

@testable import Tools

@Suite("Addresses of resources")
struct ResourceAddressTests {
    private static let base = BaseID("appAAAAAAAAAAAAAA")
    private static let record = RecordID("recAAAAAAAAAAAAAA")

    @Test("are written with everything encoded that is not unreserved")
    func writing() throws {
        let (base, record) = (try #require(Self.base), try #require(Self.record))
        #expect(ResourceAddress.base(base).uri == "airtable://appAAAAAAAAAAAAAA/schema")
        #expect(ResourceAddress.table("Due tasks", base).uri == "airtable://appAAAAAAAAAAAAAA/Due%20tasks/schema")
        #expect(
            ResourceAddress.record(record, table: "50%/été", base).uri
                == "airtable://appAAAAAAAAAAAAAA/50%25%2F%C3%A9t%C3%A9/recAAAAAAAAAAAAAA"
        )
        #expect(
            ResourceAddress.view("A?b#c", table: "-._~", base, offset: "itr1/x").uri
                == "airtable://appAAAAAAAAAAAAAA/-._~/views/A%3Fb%23c?offset=itr1%2Fx"
        )
    }

    @Test("are read by RFC 3986: scheme in any case, digits of either case, what needs no escape with one or without")
    func reading() throws {
        let base = try #require(Self.base)
        let view = ResourceAddress.view("é!$&'()*+,;=:@", table: "Tasks", base, offset: nil)
        for text in [
            "airtable://appAAAAAAAAAAAAAA/Tasks/views/%C3%A9!$&'()*+,;=:@",
            "AirTable://appAAAAAAAAAAAAAA/%54asks/views/%c3%a9%21$&'()*+,;=:@", view.uri,
        ] {
            #expect(ResourceAddress(text) == view, "\(text)")
        }
        #expect(ResourceAddress("airtable://appAAAAAAAAAAAAAA/schema/schema") == .table("schema", base))
        #expect(ResourceAddress("airtable://appAAAAAAAAAAAAAA/views/views/views") != nil)
    }

    @Test(
        "are nothing else",
        arguments: [
            "", "airtable:", "airtable://", "airtable:///schema", "airtable://schema",
            "http://appAAAAAAAAAAAAAA/schema",
            "airtable://appAAAAAAAAAAAAA/schema", "airtable://Library/schema", "airtable://appAAAAAAAAAAAAAA",
            "airtable://appAAAAAAAAAAAAAA/", "airtable://appAAAAAAAAAAAAAA/Tasks",
            "airtable://appAAAAAAAAAAAAAA//schema",
            "airtable://appAAAAAAAAAAAAAA/Schema", "airtable://appAAAAAAAAAAAAAA/Tasks/record",
            "airtable://appAAAAAAAAAAAAAA/Tasks/views", "airtable://appAAAAAAAAAAAAAA/Tasks/views/",
            "airtable://appAAAAAAAAAAAAAA/Tasks/views/a/b", "airtable://appAAAAAAAAAAAAAA/Tasks/schema/",
            "airtable://appAAAAAAAAAAAAAA/Tasks/schema?offset=1", "airtable://appAAAAAAAAAAAAAA/T/views/v?next=1",
            "airtable://appAAAAAAAAAAAAAA/T/views/v?offset=a/b", "airtable://appAAAAAAAAAAAAAA/T/views/v#offset=a",
            "airtable://appAAAAAAAAAAAAAA/a b/schema", "airtable://appAAAAAAAAAAAAAA/é/schema",
            "airtable://appAAAAAAAAAAAAAA/%/schema", "airtable://appAAAAAAAAAAAAAA/%2/schema",
            "airtable://appAAAAAAAAAAAAAA/%G0/schema", "airtable://appAAAAAAAAAAAAAA/%+1/schema",
            "airtable://appAAAAAAAAAAAAAA/%FF/schema", "airtable://appAAAAAAAAAAAAAA/%C3/schema",
            "airtable://appAAAAAAAAAAAAAA/\"/schema", " airtable://appAAAAAAAAAAAAAA/schema",
            "airtable://user@appAAAAAAAAAAAAAA/schema", "airtable://appAAAAAAAAAAAAAA:80/schema",
        ]
    )
    func refusals(_ text: String) {
        #expect(ResourceAddress(text) == nil)
    }

    @Test("no address is read that is longer than two names and the rest can be")
    func length() throws {
        let base = try #require(Self.base)
        let longest = String(repeating: "😀", count: Limits.nameCharacters)
        let view = ResourceAddress.view(longest, table: longest, base, offset: nil)
        #expect(ResourceAddress(view.uri) == view)
        let name = String(repeating: "a", count: Limits.resourceAddressBytes)
        #expect(ResourceAddress(ResourceAddress.table(name, base).uri) == nil)
    }

    @Test("any name comes back as it was, and no two addresses are the same text")
    func roundTrip() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        let letters = Array(
            "ab/%?#[]@!$&'()*+,;= \"<>\\^`{|}~.-_:éßж語😀\u{301}\u{200D}\u{202E}\u{0}\u{7F}\n".unicodeScalars
        )
        func name() -> String {
            let words = ["schema", "views", "..", ".", "%2F", "offset=", "recAAAAAAAAAAAAAA"]
            if Int.random(in: 0..<8, using: &generator) == 0 { return words.randomElement(using: &generator) ?? "" }
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 1...24, using: &generator) {
                text.append(letters.randomElement(using: &generator) ?? "a")
            }
            return String(text)
        }
        var seen: [String: ResourceAddress] = [:]
        for _ in 0..<5_000 {
            let base = BaseID.random(using: &generator)
            let address: ResourceAddress =
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: .base(base)
                case 1: .table(name(), base)
                case 2: .record(.random(using: &generator), table: name(), base)
                default: .view(name(), table: name(), base, offset: Bool.random(using: &generator) ? name() : nil)
                }
            let text = address.uri
            let read = try #require(ResourceAddress(text), "seed \(seed): \(text)")
            // Swift takes two texts for equal that are canonically equivalent; here each byte counts.
            #expect(read == address && read.uri == text, "seed \(seed): \(text)")
            #expect(text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F })
            if let before = seen.updateValue(address, forKey: text) {
                #expect(before == address, "seed \(seed): \(text)")
            }
        }
    }
}
