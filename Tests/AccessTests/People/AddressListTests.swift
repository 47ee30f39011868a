import Access
import Domain
import Testing

@Suite("Lists of addresses")
struct AddressListTests {
    struct Question: Sendable {
        let list: [String]
        let inside: [String]
        let outside: [String]
    }

    static let questions = [
        Question(
            list: ["203.0.113.7"],
            inside: ["203.0.113.7", "::ffff:203.0.113.7", "::FFFF:cb00:7107"],
            outside: ["203.0.113.8", "203.0.113.6", "::203.0.113.7", "2002:cb00:7107::", "64:ff9b::203.0.113.7"]
        ),
        Question(
            list: ["10.1.2.3/16", "2001:db8::/32"],
            inside: ["10.1.0.0", "10.1.255.255", "2001:db8::1", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"],
            outside: ["10.2.0.0", "10.0.255.255", "2001:db9::", "2001:db7:ffff::", "::ffff:10.2.0.0", "::1"]
        ),
        Question(list: ["0.0.0.0/0"], inside: ["1.2.3.4", "::ffff:1.2.3.4"], outside: ["::1", "2001:db8::1"]),
        Question(list: ["::/0"], inside: ["::1", "2001:db8::1"], outside: ["1.2.3.4", "::ffff:1.2.3.4"]),
        Question(
            list: ["::ffff:10.0.0.0/104"],
            inside: ["10.9.9.9", "::ffff:10.9.9.9"],
            outside: ["11.0.0.0", "::a00:1"]
        ),
        Question(list: ["127.0.0.1", "::1"], inside: ["127.0.0.1", "::1"], outside: ["127.0.0.2", "::2"]),
    ]

    @Test("KEY-02: hold an address or not, IPv4 however it is written", arguments: questions)
    func contains(_ question: Question) throws {
        let list = try #require(AddressList(question.list))
        for text in question.inside { #expect(list.contains(try #require(IPAddress(text))), "\(text) in \(list)") }
        for text in question.outside { #expect(!list.contains(try #require(IPAddress(text))), "\(text) in \(list)") }
    }

    @Test(
        "anything else than addresses and networks is no list",
        arguments: [
            [], [""], ["10.0.0.0/33"], ["10.0.0.0/-1"], ["10.0.0.0/"], ["10.0.0/8"], ["010.0.0.1"], ["0x7f.0.0.1"],
            ["localhost"], ["::1/129"], ["fe80::1%eth0"], ["10.0.0.1 "], ["10.0.0.0/8", "nonsense"], ["*"],
        ]
    )
    func malformed(_ texts: [String]) { #expect(AddressList(texts) == nil) }

    @Test("equal ones are equal, and reading what one is stored as gives it again")
    func stored() throws {
        let list = try #require(AddressList(["10.1.2.3/16", "::1", "10.1.0.0/16", "::ffff:10.1.0.0/112"]))
        #expect(list == AddressList(["::1/128", "10.1.0.0/16"]))
        #expect(list.description == "10.1.0.0/16 ::1/128")
        #expect(AddressList(list.description.split(separator: " ").map(String.init)) == list)
    }

    @Test("are inside another when each of their networks is inside one of its")
    func subsets() throws {
        let held = try #require(AddressList(["10.0.0.0/8", "2001:db8::/32"]))
        for inside in [["10.0.0.0/8"], ["10.1.0.0/16", "2001:db8::1"], ["::ffff:10.1.1.1"]] {
            #expect(try #require(AddressList(inside)).isSubset(of: held), "\(inside)")
        }
        for outside in [["0.0.0.0/0"], ["10.0.0.0/7"], ["11.0.0.0/8"], ["10.1.1.1", "::1"], ["::/0"]] {
            #expect(try !#require(AddressList(outside)).isSubset(of: held), "\(outside)")
        }
    }
}
