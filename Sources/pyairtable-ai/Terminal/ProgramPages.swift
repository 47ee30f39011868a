import Foundation

/// The pages of the program and its libraries that this process has mapped.
enum ProgramPages {
    private struct Mapping {
        let range: Range<UInt>
        let permissions: Substring
        let file: Substring

        /// A line of proc_pid_maps(5): `start-end permissions offset device inode file`.
        init?(_ line: Substring) {
            let parts = line.split(separator: " ", maxSplits: 5)
            let ends = parts[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            guard parts.count == 6, ends.count == 2, ends[0] < ends[1] else { return nil }
            range = ends[0]..<ends[1]
            permissions = parts[1]
            file = parts[5].drop { $0 == " " }
        }
    }

    /// Calls `release` a second after `start` is over.
    ///
    /// - Returns: to be cancelled when the program ends before.
    static func releaseSoon(after start: @escaping @Sendable () async throws -> Void = {}) -> Task<Void, any Error> {
        Task {
            try await start()
            try await Task.sleep(for: .seconds(1))
            release()
            Heap.trim()
        }
    }

    /// Gives back what only the start has used: of 72 MB that the server is mapped with, most is program text that is not
    /// looked at again. What is, is mapped again from the kernel's cache at a fault each.
    ///
    /// Only code, and the constants that lie before a file's code: behind it are tables which the loader has written.
    static func release() {
        let mappings = maps().split(separator: "\n").compactMap { Mapping($0) }
        for (position, mapping) in mappings.enumerated() where mapping.file.hasPrefix("/") {
            let next = mappings.indices.contains(position + 1) ? mappings[position + 1] : nil
            let isBeforeCode =
                mapping.permissions == "r--p" && next?.permissions == "r-xp" && next?.file == mapping.file
            guard mapping.permissions == "r-xp" || isBeforeCode else { continue }
            let start = UnsafeMutableRawPointer(bitPattern: mapping.range.lowerBound)
            _ = madvise(start, mapping.range.count, MADV_DONTNEED)
        }
    }

    /// Of this process; empty where there is no such file.
    private static func maps() -> String {
        // Piece by piece: the kernel gives a page at a time, and says that the file is empty.
        guard let handle = FileHandle(forReadingAtPath: "/proc/self/maps") else { return "" }
        var bytes = Data()
        while let piece = try? handle.read(upToCount: 1 << 20), !piece.isEmpty { bytes += piece }
        return String(decoding: bytes, as: UTF8.self)
    }
}
