import Access
import Airtable
import Database
import Domain
import Foundation
import TestSupport
import Testing

@Suite("Attachments")
struct AttachmentTests {
    private static let picture = PictureSizeTests.png(44, 200)

    @Test("keep their bytes, and tell name, type, size and pixels", arguments: DatabaseKind.allCases)
    func roundTrip(_ kind: DatabaseKind) async throws {
        try await withAttachments(kind) { fixture in
            let added = try await fixture.add(Self.picture, "dir/cat.png", type: "text/html")
            #expect(added.filename == "cat.png" && added.type == "image/png")
            #expect(added.size == Int64(Self.picture.count) && added.width == 300 && added.height == 200)
            let links = try await fixture.service.links(tenant: fixture.store.context.tenant, origin: "")
            #expect(try await fixture.bytes(links.address(of: added)) == Self.picture)

            let empty = try await fixture.add([], "nothing.txt")
            #expect(empty.size == 0 && empty.type == "text/plain")
            #expect(try await fixture.bytes(links.address(of: empty)) == [])
        }
    }

    @Test("of the same content share one file, but not with another tenant", arguments: DatabaseKind.allCases)
    func deduplicated(_ kind: DatabaseKind) async throws {
        try await withAttachments(kind) { fixture in
            let first = try await fixture.add(Array("same".utf8), "a.txt")
            let second = try await fixture.add(Array("same".utf8), "b.txt")
            #expect(first.id != second.id && first.contentHash == second.contentHash)
            #expect(try fixture.files().count == 1)
            let other = try await fixture.store.otherTenant()
            _ = try await fixture.service.add(
                Array("same".utf8),
                filename: "c.txt",
                declaredType: nil,
                base: fixture.base,
                context: other
            )
            #expect(try fixture.files().count == 2)
            #expect(try fixture.incoming().isEmpty)
        }
    }

    @Test("written at once by many are all there", arguments: DatabaseKind.allCases)
    func concurrent(_ kind: DatabaseKind) async throws {
        try await withAttachments(kind) { fixture in
            let added = try await withThrowingTaskGroup(of: Attachment.self) { group in
                for number in 0..<24 {
                    group.addTask { try await fixture.add(Array("content \(number % 3)".utf8), "\(number).txt") }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(added.map(\.id)).count == 24)
            #expect(try fixture.files().count == 3)
            let links = try await fixture.service.links(tenant: fixture.store.context.tenant, origin: "")
            for attachment in added {
                let number = try #require(Int(attachment.filename.dropLast(4)))
                let bytes = try await fixture.bytes(links.address(of: attachment))
                #expect(bytes == Array("content \(number % 3)".utf8))
            }
        }
    }

    @Test("larger than an upload may be are refused, and leave nothing", arguments: DatabaseKind.allCases)
    func tooLarge(_ kind: DatabaseKind) async throws {
        try await withAttachments(kind) { fixture in
            let most = [UInt8](repeating: 7, count: Limits.uploadBytes)
            let largest = try await fixture.add(most)
            #expect(largest.size == Int64(Limits.uploadBytes))
            await expectFailure(.tooLarge) { try await fixture.add(most + [7]) }
            let files = try fixture.files()
            #expect(files.count == 1)
        }
    }

    @Test("are named by identifier within their base and tenant only", arguments: DatabaseKind.allCases)
    func named(_ kind: DatabaseKind) async throws {
        try await withAttachments(kind) { fixture in
            let one = try await fixture.add([1], "one.bin")
            let two = try await fixture.add([2], "two.bin")
            let resolved = try await fixture.resolve([.existing(two.id), .existing(one.id), .existing(.random())])
            #expect(resolved == [two, one, nil])
            #expect(try await fixture.resolve([.existing(one.id)], base: .random()) == [nil])
            let other = try await fixture.store.otherTenant()
            #expect(try await fixture.resolve([.existing(one.id)], context: other) == [nil])
        }
    }

    // MARK: Links

    @Test("are read by a link for two hours, and not after", arguments: DatabaseKind.allCases)
    func expiry(_ kind: DatabaseKind) async throws {
        try await withAttachments(kind) { fixture in
            let added = try await fixture.add([1, 2, 3])
            let links = try await fixture.service.links(tenant: fixture.store.context.tenant, origin: "https://h")
            let address = links.address(of: added)
            #expect(address.hasPrefix("https://h/attachments/") && address.hasSuffix("/a.bin"))
            let link = String(address.dropFirst("https://h".count))
            fixture.store.clock.advance(seconds: 7_200)
            #expect(try await fixture.bytes(link) == [1, 2, 3])
            fixture.store.clock.advance(seconds: 600)
            await expectFailure(.notFound) { try await fixture.bytes(link) }
        }
    }

    @Test("of which anything was changed open nothing", arguments: DatabaseKind.allCases)
    func forged(_ kind: DatabaseKind) async throws {
        try await withAttachments(kind) { fixture in
            let tenant = fixture.store.context.tenant
            let added = try await fixture.add([1])
            let other = try await fixture.add([2])
            let links = try await fixture.service.links(tenant: tenant, origin: "")
            let parts = links.address(of: added).split(separator: "/").map(String.init)
            func link(_ position: Int, _ text: String) -> String {
                var changed = parts
                changed[position] = text
                return "/" + changed.joined(separator: "/")
            }
            #expect(try await fixture.bytes(link(5, "other-name.bin")) == [1], "the name is not signed")
            let later = try #require(Int(parts[3])) + 1
            let flipped = String(parts[4].dropLast()) + (parts[4].hasSuffix("0") ? "1" : "0")
            for bad in [
                link(2, other.id.description), link(3, "\(later)"), link(3, "+\(parts[3])"), link(3, "0\(parts[3])"),
                link(4, flipped), link(4, parts[4].uppercased()), link(4, String(parts[4].dropLast(2))), link(4, ""),
            ] {
                await expectFailure(.notFound) { try await fixture.bytes(bad) }
            }
            let stranger = try await fixture.store.otherTenant()
            await expectFailure(.notFound) { try await fixture.bytes(link(1, stranger.tenant.description)) }
            let keys = try await fixture.store.database.read(of: .everyTenant) {
                try $0.rows("SELECT tenant FROM access_data_keys").count
            }
            #expect(keys == 1, "asking for links makes no keys")
        }
    }

    @Test("whose bytes are gone or cut are damage, not something else", arguments: DatabaseKind.allCases)
    func damaged(_ kind: DatabaseKind) async throws {
        try await withAttachments(kind) { fixture in
            let added = try await fixture.add([1, 2, 3])
            let links = try await fixture.service.links(tenant: fixture.store.context.tenant, origin: "")
            let link = links.address(of: added)
            let file = fixture.directory.appendingPathComponent(try #require(try fixture.files().first))
            try Data([1, 2]).write(to: file)
            await expectFailure(.corrupt) { try await fixture.bytes(link) }
            try FileManager.default.removeItem(at: file)
            await expectFailure(.corrupt) { try await fixture.bytes(link) }
            // The same bytes again mend it.
            _ = try await fixture.add([1, 2, 3])
            #expect(try await fixture.bytes(link) == [1, 2, 3])
        }
    }

    // MARK: Sweeping

    @Test("that no cell has named for long enough go, and their bytes with the last", arguments: DatabaseKind.allCases)
    func sweep(_ kind: DatabaseKind) async throws {
        try await withAttachments(kind) { fixture in
            let (service, tenant) = (fixture.service, fixture.store.context.tenant)
            let shared = try await fixture.add([1], "shared.bin")
            let twin = try await fixture.add([1], "twin.bin")
            let lonely = try await fixture.add([2], "lonely.bin")
            let grace = Duration.seconds(100)
            var swept = try await service.sweep(named: [shared.id], grace: grace, tenant: tenant)
            #expect(swept.unnamed == 2 && swept.deleted == 0)
            fixture.store.clock.advance(seconds: 99)
            swept = try await service.sweep(named: [shared.id], grace: grace, tenant: tenant)
            #expect(swept.deleted == 0 && swept.filesRemoved == 0)
            fixture.store.clock.advance(seconds: 2)
            swept = try await service.sweep(named: [shared.id], grace: grace, tenant: tenant)
            #expect(swept.deleted == 2 && swept.filesRemoved == 1)
            #expect(try fixture.files().count == 1)
            #expect(try await fixture.resolve([.existing(lonely.id)]) == [nil])
            #expect(try await fixture.resolve([.existing(twin.id)]) == [nil])
            let links = try await service.links(tenant: tenant, origin: "")
            #expect(try await fixture.bytes(links.address(of: shared)) == [1])
        }
    }

    @Test("that are named again in time stay", arguments: DatabaseKind.allCases)
    func namedAgain(_ kind: DatabaseKind) async throws {
        try await withAttachments(kind) { fixture in
            let (service, tenant) = (fixture.service, fixture.store.context.tenant)
            let byCell = try await fixture.add([1])
            let byWriter = try await fixture.add([2])
            let grace = Duration.seconds(100)
            _ = try await service.sweep(named: [], grace: grace, tenant: tenant)
            fixture.store.clock.advance(seconds: 60)
            _ = try await service.sweep(named: [byCell.id], grace: grace, tenant: tenant)
            fixture.store.clock.advance(seconds: 60)
            // A writer names it between the look at the cells and the deletion.
            _ = try await fixture.resolve([.existing(byWriter.id)])
            let swept = try await service.sweep(named: [], grace: grace, tenant: tenant)
            #expect(swept.deleted == 0)
            #expect(try fixture.files().count == 2)
        }
    }

    @Test(
        "are read whole when the store is verified, and what is wrong with one is said",
        arguments: DatabaseKind.allCases
    )
    func verified(_ kind: DatabaseKind) async throws {
        try await withAttachments(kind) { fixture in
            let (service, store) = (fixture.service, fixture.store)
            _ = try await fixture.add([1, 2, 3], "a.bin")
            _ = try await fixture.add([1, 2, 3], "b.bin")
            let kept = try await fixture.add([4, 5], "c.bin")
            var report = try await service.verify(context: store.context)
            #expect(report.attachments == 3 && report.files == 2 && report.bytes == 5 && report.problems.isEmpty)
            for file in try fixture.files() where !file.hasSuffix(kept.contentHash) {
                let path = fixture.directory.appendingPathComponent(file)
                try Data([1, 2, 4]).write(to: path)
                report = try await service.verify(context: store.context)
                #expect(report.problemCount == 2 && report.problems[0].hasSuffix("has other bytes than were stored."))
                try Data([1, 2]).write(to: path)
                report = try await service.verify(context: store.context)
                #expect(report.problems[1].hasSuffix("has 2 bytes instead of 3."))
                try FileManager.default.removeItem(at: path)
                report = try await service.verify(context: store.context)
                #expect(report.problemCount == 2 && report.problems[1].hasSuffix("is missing."))
            }
            let reader = store.context(with: [.recordsRead])
            await #expect(throws: AccessError.self) { try await service.verify(context: reader) }
        }
    }

    @Test("leave what a crash left until it is a day old", arguments: DatabaseKind.allCases)
    func abandoned(_ kind: DatabaseKind) async throws {
        try await withAttachments(kind) { fixture in
            let (service, tenant) = (fixture.service, fixture.store.context.tenant)
            let kept = try await fixture.add([1])
            let orphan = fixture.directory.appendingPathComponent("\(tenant)/ab")
            try FileManager.default.createDirectory(at: orphan, withIntermediateDirectories: true)
            let name = "ab" + String(repeating: "0", count: 62)
            try Data([9]).write(to: orphan.appendingPathComponent(name))
            try Data([9]).write(to: fixture.directory.appendingPathComponent(".incoming/half"))
            // Files bear the real time; the store's clock stands in 2025, so move it to two days from now.
            let ahead = Instant.now().microseconds - fixture.store.clock.instant.microseconds
            fixture.store.clock.advance(seconds: ahead / 1_000_000)
            _ = try await service.sweep(named: [kept.id], grace: .seconds(1), tenant: tenant)
            #expect(try fixture.files().count == 2)
            #expect(try fixture.incoming() == ["half"])
            fixture.store.clock.advance(seconds: 2 * 86_400)
            let swept = try await service.sweep(named: [kept.id], grace: .seconds(1), tenant: tenant)
            #expect(swept.filesRemoved == 1)
            #expect(try fixture.files().count == 1)
            #expect(try fixture.incoming().isEmpty)
        }
    }
}
