import Foundation
import Synchronization
import Testing
import VectorIndex

/// A crash leaves the directory as it is at that moment; so copies of it, taken between any two changes of
/// its files, are what a crash would leave.
@Suite("Crashes")
struct CrashTests {
    @Test("whenever it happens, what was flushed is there and nothing is half there", arguments: [UInt64(61), 62])
    func anywhere(seed: UInt64) throws {
        try withTemporaryDirectory { directory in
            let live = directory + "/live"
            var generator = SeededGenerator(seed)
            let copies = Mutex<[(path: String, flushed: [UInt64], pending: [UInt64])]>([])
            let state = Mutex<(flushed: [UInt64], pending: [UInt64])>(([], []))
            let index = try IndexWriter.open(
                directory: live,
                parameters: parameters(5, m: 4),
                options: IndexOptions(tailBytesMin: 8_000, tailShareMax: 0.1)
            ) { _ in
                let path = "\(directory)/copy-\(copies.withLock { $0.count })"
                try? copyDirectory(live, to: path)
                let now = state.withLock { $0 }
                copies.withLock { $0.append((path, now.flushed, now.pending)) }
            }
            var keys: Set<UInt64> = []
            for _ in 0..<40 {
                for _ in 0..<5 {
                    let key = UInt64(generator.below(50))
                    if generator.below(3) == 0 {
                        try index.delete(key)
                        keys.remove(key)
                    } else {
                        try index.upsert(key, generator.vector(5))
                        keys.insert(key)
                    }
                }
                let pending = keys.sorted()
                state.withLock { $0.pending = pending }
                try index.flush()
                state.withLock { $0.flushed = pending }
            }
            index.close()
            let taken = copies.withLock { $0 }
            #expect(taken.count > 60)
            for (path, flushed, pending) in taken {
                // Files of the very first generation may not be in force yet.
                if flushed.isEmpty && !FileManager.default.fileExists(atPath: path + "/CURRENT") { continue }
                let reader = try IndexReader.open(directory: path, identity: "test")
                let found = try contents(reader, dimension: 5)
                #expect(found == flushed || found == pending)
                #expect(try IndexVerifier.verify(directory: path).problems == [])
                let again = try IndexWriter.open(directory: path, parameters: parameters(5, m: 4))
                try again.upsert(1_000, [1, 2, 3, 4, 5])
                try again.flush()
                #expect(try files(in: path).count == 4, "remains are removed")
                #expect(try IndexReader.open(directory: path, identity: "test").count == found.count + 1)
            }
        }
    }
}
