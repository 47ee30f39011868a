import Domain
import Outbound
import TestSupport
import Testing

@testable import Airtable

@Suite("The hosted service's wire format")
struct HostedWireTests {
    private let base = HostedBench.base

    @Test(
        "errors of all shapes become our own codes with the service's words",
        arguments: [
            (
                401, #"{"error":{"type":"AUTHENTICATION_REQUIRED","message":"Authentication required"}}"#,
                "AUTHENTICATION_REQUIRED", "Authentication required"
            ),
            (
                402, "", "PUBLIC_API_BILLING_LIMIT_EXCEEDED",
                "The calls that the hosted service's plan allows are used up."
            ),
            (
                403, #"{"error":{"type":"INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND","message":"m"}}"#,
                "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND", "m"
            ),
            (403, #"{"error":{"type":"INVALID_PERMISSIONS"}}"#, "INVALID_PERMISSIONS", "The token may not do this."),
            (404, #"{"error":"NOT_FOUND"}"#, "NOT_FOUND", "There is no such record, or no such thing at this address."),
            (413, "<html>", "REQUEST_TOO_LARGE", "The request is too large for the hosted service."),
            (
                422, #"{"error":{"type":"UNKNOWN_FIELD_NAME","message":"Unknown field name: \"X\""}}"#,
                "UNKNOWN_FIELD_NAME", "Unknown field name: \"X\""
            ),
            (422, #"{"error":{"type":"SOMETHING_NEW","message":"new"}}"#, "INVALID_REQUEST_UNKNOWN", "new"),
            (
                422, #"{"error":{"type":"LIST_RECORDS_ITERATOR_NOT_AVAILABLE","message":"i"}}"#,
                "LIST_RECORDS_ITERATOR_NOT_AVAILABLE", "i"
            ),
            (422, #"{"error":{"type":"CORRUPT_STORE","message":"c"}}"#, "INVALID_REQUEST_UNKNOWN", "c"),
            (429, #"{"errors":[{"error":"RATE_LIMIT_REACHED","message":"slow"}]}"#, "SERVICE_UNAVAILABLE", "slow"),
            (
                429, #"{"errors":[{"error":"PUBLIC_API_BILLING_LIMIT_EXCEEDED","message":"month"}]}"#,
                "PUBLIC_API_BILLING_LIMIT_EXCEEDED", "month"
            ),
            (500, #"{"error":{"type":"SERVER_ERROR","message":"s"}}"#, "SERVER_ERROR", "s"),
        ]
    )
    func errors(status: Int, body: String, code: String, message: String) {
        let error = AirtableError.hosted(status: status, body: Array(body.utf8), token: OutboundSecret("patToken"))
        #expect(error.code.rawValue == code)
        #expect(error.message == message)
    }

    @Test("an error that quotes the token does not hand it on")
    func redacted() {
        let token = "patAAAAAAAAAAAAAA.bbbbbbbbbbbbbbbb"
        let body = #"{"error":{"type":"\#(token)","message":"bad \#(token)"}}"#
        let error = AirtableError.hosted(status: 422, body: Array(body.utf8), token: OutboundSecret(token))
        #expect(!"\(error) \(error.detail ?? "")".contains("bbbbbbbb"))
    }

    @Test("a plan's monthly limit is told at once, and not tried again")
    func billing() throws {
        let body = #"{"errors":[{"error":"PUBLIC_API_BILLING_LIMIT_EXCEEDED","message":"month"}]}"#
        let bench = try HostedBench { _ in .status(429, body: body) }
        try bench.time.run {
            await #expect(throws: AirtableError(.billingLimit, "")) { _ = try await bench.client.bases(bench.call()) }
        }
        #expect(bench.upstream.arrivals.count == 1)
    }

    @Test("a listing's parameters stand in the address; a long one goes by POST, its time zone still in the address")
    func listing() throws {
        var listing = HostedListing()
        listing.fields = ["A b", "Ü/"]
        listing.sort = [HostedListing.Sort(field: "A", isDescending: true)]
        listing.pageSize = 7
        listing.timeZone = "Europe/Paris"
        listing.userLocale = "fr"
        let short = listing.request(base: base, table: "My / table?")
        #expect(short.method == .get)
        #expect(
            short.target
                == "appAAAAAAAAAAAAAA/My%20%2F%20table%3F?fields%5B%5D=A%20b&fields%5B%5D=%C3%9C%2F&pageSize=7"
                + "&sort%5B0%5D%5Bfield%5D=A&sort%5B0%5D%5Bdirection%5D=desc&timeZone=Europe%2FParis&userLocale=fr"
        )
        listing.filterByFormula = String(repeating: "x", count: 17_000)
        let long = listing.request(base: base, table: "T")
        #expect(long.method == .post && long.isRead)
        #expect(long.target == "appAAAAAAAAAAAAAA/T/listRecords?timeZone=Europe%2FParis&userLocale=fr")
        let body = try JSONValue(parsing: long.body)
        #expect(body["filterByFormula"]?.stringValue?.count == 17_000)
        #expect(body["sort"] == [["field": "A", "direction": "desc"]])
        #expect(body["timeZone"] == nil)
    }

    @Test("pages follow one another, by GET and by POST")
    func pages() throws {
        let bench = try HostedBench()
        let ids = bench.seed(25)
        for filter in [nil, String(repeating: "x", count: 16_000)] {
            let read = try bench.time.run {
                var listing = HostedListing()
                listing.pageSize = 10
                listing.filterByFormula = filter
                var read: [RecordID] = []
                repeat {
                    let page = try await bench.client.page(listing, of: HostedBench.things, in: base, bench.call())
                    read += page.records.map(\.id)
                    listing.offset = page.offset
                } while listing.offset != nil
                return read
            }
            #expect(read == ids)
        }
        #expect(bench.upstream.arrivals.map(\.method) == ["GET", "GET", "GET", "POST", "POST", "POST"])
    }

    @Test("bases and tables are read with their fields; what is no such list is told")
    func schema() throws {
        let bench = try HostedBench()
        try bench.time.run {
            #expect(try await bench.client.bases(bench.call()).map(\.name) == ["Base"])
            let tables = try await bench.client.tables(of: base, bench.call())
            #expect(tables.map(\.name) == ["Things"])
            #expect(tables[0].fields.map(\.type) == ["singleLineText", "number"])
        }
        let strange = try HostedBench { _ in .status(200, body: #"{"tables":[{"id":"tbl"}]}"#) }
        try strange.time.run {
            await #expect(throws: AirtableError(.upstreamFailed, "")) {
                _ = try await strange.client.tables(of: base, strange.call())
            }
        }
    }

    @Test(
        "an endpoint may have a prefix, a slash, or the version at its end",
        arguments: [
            ("http://hosted.test", "http://hosted.test"), ("https://h/prefix/", "https://h/prefix"),
            ("https://h:8443/v0/", "https://h:8443"),
        ]
    )
    func endpoint(text: String, used: String) throws {
        #expect(try HostedConfiguration(endpoint: text).endpoint.hasPrefix(used))
    }
}
