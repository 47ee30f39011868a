import Airtable
import Domain
import TestSupport
import Testing

@testable import Tools

@Suite("Taking large changes back")
struct LargeRevertTests {
    @Test(
        "an upsert of 5,000 records, half of them new, is one transaction; taking it back restores every cell of every table",
        arguments: DatabaseKind.allCases
    )
    func upsert(_ kind: DatabaseKind) async throws {
        // A fifth on PostgreSQL, for the time it takes.
        let half = kind == .sqlite ? 2_500 : 500
        try await withPlant(kind, jobs: half) { plant in
            let world = plant.world
            let before = try await plant.dump()
            #expect(before.values.map(\.order.count).sorted() == [40, half])
            world.clock.advance(seconds: 60)
            let caller = AskedCaller.agreeing
            let upserted = try await world.call("upsert_records", try await plant.upsert(2 * half), caller)
            try #require(!upserted.isError, "\(upserted.text)")
            let answer = try #require(upserted.structured)
            #expect(answer["created"]?.intValue == half && answer["updated"]?.intValue == half)
            #expect(answer["records"]?.arrayValue?.count == Limits.reportedRecords)
            #expect(caller.progress.last?.done == Double(2 * half))
            // The new jobs, and the crews that are made for them.
            let made = half + 5
            #expect(caller.messages.count == 1, "once, though it is gone through twice")
            #expect(caller.messages[0].hasPrefix("Create \(made) records, change \(half) records in"))
            let after = try await plant.dump()
            plant.expectChanged(before, after)
            try await plant.expectSound()

            world.clock.advance(seconds: 60)
            let number = try #require(answer["transaction"])
            let reverted = try await world.call("revert", ["transaction": number], caller)
            #expect(reverted.structured?["status"] == "done", "\(reverted.text)")
            #expect(reverted.structured?["deleted"]?.intValue == made)
            plant.expectSame(try await plant.dump(), before)
            try await plant.expectSound()
            let times = try await plant.changedTimes()
            #expect(times.values.max() == world.clock.instant, "taking back is a change too")
            // Choices stay: others may be using them by now.
            let jobs = try await world.airtable.table(id: plant.jobs.id, context: world.context)
            #expect(jobs.field("State")?.options.choices?.map(\.name) == ["new", "old", "brand new"])

            // Twice is once, and says why; taking back what took it back does it again.
            let again = try await world.call("revert", ["transaction": number], caller)
            #expect(again.structured?["status"] == "conflict", "\(again.text)")
            plant.expectSame(try await plant.dump(), before)
            let redo = try #require(reverted.structured?["transaction"])
            let redone = try await world.call("revert", ["transaction": redo], caller)
            #expect(redone.structured?["created"]?.intValue == made, "\(redone.text)")
            plant.expectSame(try await plant.dump(), after)
            try await plant.expectSound()
        }
    }

    @Test(
        "what others changed, deleted or linked meanwhile is told record by record, and not one cell is put back",
        arguments: DatabaseKind.allCases
    )
    func conflicts(_ kind: DatabaseKind) async throws {
        try await withPlant(kind, jobs: 60) { plant in
            let (world, caller) = (plant.world, AskedCaller.agreeing)
            let upserted = try await world.call("upsert_records", try await plant.upsert(120), caller)
            let number = try #require(upserted.structured?["transaction"], "\(upserted.text)")
            let after = try await plant.dump()
            let bob = try await plant.colleague()
            func job(_ key: Int) throws -> RecordID { try #require(after["Jobs"]?.id("k\(key)")) }
            func crew(_ name: String) throws -> RecordID { try #require(after["Crews"]?.id(name)) }
            let airtable = world.airtable
            // A cell that the upsert set; one that it left alone; a record that it made; one that it changed, deleted; one that it
            // made, deleted; and a crew that it linked to, deleted.
            let update = RecordUpdate(id: try job(4), fields: ["Hours": 1_000])
            _ = try await airtable.update([update], in: plant.jobs.id, context: bob)
            let other = RecordUpdate(id: try job(8), fields: ["Money": 5])
            _ = try await airtable.update([other], in: plant.jobs.id, context: bob)
            let made = RecordUpdate(id: try job(100), fields: ["Money": 5])
            _ = try await airtable.update([made], in: plant.jobs.id, context: bob)
            try await airtable.delete([try job(10), try job(101)], in: plant.jobs.id, context: bob)
            try await airtable.delete([try crew("Crew 1")], in: plant.crews.id, context: bob)
            let present = try await plant.dump()
            let questions = caller.questions.count
            for dryRun in [true, false] {
                let refused = try await world.call("revert", ["transaction": number, "dryRun": .bool(dryRun)], caller)
                #expect(refused.structured?["status"] == "conflict", "\(refused.text)")
                let conflicts = try #require(refused.structured?["conflicts"]?.arrayValue)
                var reasons: [String: String] = [:]
                for conflict in conflicts {
                    reasons[conflict["record"]?.stringValue ?? ""] = conflict["reason"]?.stringValue
                }
                for key in [4, 100] { #expect(reasons[try job(key).description] == "changed") }
                for key in [10, 101] { #expect(reasons[try job(key).description] == "deleted") }
                #expect(reasons[try crew("Crew 1").description] == "deleted")
                #expect(reasons[try job(8).description] == nil, "another cell of it stands in nobody's way")
                let gone = JSONValue.array([.string(try crew("Crew 1").description)])
                let linked = after["Jobs"]?.cells.filter { $0.value["Crew"] == gone }
                #expect(linked?.isEmpty == false)
                for record in (linked ?? [:]).keys where ![try job(10), try job(101)].contains(record) {
                    #expect(reasons[record.description] == "changed", "its link went with the crew")
                }
                #expect(refused.text.contains("Nothing was changed") && refused.text.contains("by transaction"))
            }
            #expect(caller.questions.count == questions, "nobody is asked for what cannot be done")
            plant.expectSame(try await plant.dump(), present)
            try await plant.expectSound()
        }
    }

    @Test("a record that was deleted and put back by others stands in nobody's way")
    func restored() async throws {
        try await withPlant(.sqlite, jobs: 20) { plant in
            let (world, caller) = (plant.world, AskedCaller.agreeing)
            let before = try await plant.dump()
            let upserted = try await world.call("upsert_records", try await plant.upsert(30), caller)
            let number = try #require(upserted.structured?["transaction"], "\(upserted.text)")
            let after = try await plant.dump()
            let record = try #require(after["Jobs"]?.id("k3"))
            try await world.airtable.delete([record], in: plant.jobs.id, context: world.context)
            let refused = try await world.call("revert", ["transaction": number], caller)
            #expect(refused.structured?["status"] == "conflict")
            let deletion = try await world.sequence()
            let numbers = try await world.airtable.history(in: plant.base.id, limit: 5, context: world.context).entries
            let last = try #require(numbers.first { $0.sequence == deletion }?.transaction)
            _ = try await world.call("revert", ["transaction": .number(JSONNumber(Int(last)))], caller)
            let reverted = try await world.call("revert", ["transaction": number], caller)
            #expect(reverted.structured?["status"] == "done", "\(reverted.text)")
            // It came back at the end of the table.
            let now = try await plant.dump()
            #expect(now["Jobs"]?.cells == before["Jobs"]?.cells && now["Crews"] == before["Crews"])
            try await plant.expectSound()
        }
    }
}
