import CKernels

/// What a thorough look at an index found.
public struct VerificationReport: Sendable, Hashable {
    /// What is wrong, in words; an index in order has none.
    public var problems: [String] = []
    /// The identity it was made with.
    public var identity = ""
    public var generation: UInt64 = 0
    /// Keys.
    public var count = 0
    public var slotCount = 0
    /// Deleted, and not yet repaired.
    public var deadCount = 0
    /// Keys whose vector equals another's.
    public var twinCount = 0
    /// Linked slots by their highest level.
    public var levelCounts: [Int] = []
    /// Links of the lowest level, and how many of them lead only one way.
    public var linkCount = 0
    public var oneWayLinkCount = 0
    /// Linked slots to which no path leads from the entry point; found by exact searches only.
    public var unreachableCount = 0
    /// True when the tail ends in a change that was not completed, which does not count.
    public var hasTornTail = false

    public var isClean: Bool { problems.isEmpty }
    /// The share of linked keys to which a path leads, 1 for an empty index.
    public var reachableShare: Double {
        let linked = levelCounts.reduce(0, +)
        return linked == 0 ? 1 : 1 - Double(unreachableCount) / Double(linked)
    }
}

/// Checks an index on disk; may be run while others use it.
public enum IndexVerifier {
    /// Opens the index as a reader would, with all checks of that (checksums, layout, every link, unique keys,
    /// chains of equal vectors), then walks the whole graph.
    ///
    /// - Throws: `notFound` when there is none, `inputOutput`. Damage is not thrown but reported.
    public static func verify(directory: String) throws(VectorIndexError) -> VerificationReport {
        var report = VerificationReport()
        do throws(VectorIndexError) {
            let files = IndexDirectory(directory)
            let number = try files.currentGeneration()
            let header = try CheckpointReader(path: files.checkpointPath(number)).header
            report.identity = header.parameters.identity
            let generation = try Generation.open(files, identity: report.identity, .mapped, .read)
            report.generation = generation.number
            report.hasTornTail = generation.isTorn
            examine(generation.graph, &report)
        } catch {
            switch error.code {
            case .corrupt, .unsupportedVersion: report.problems.append(error.message)
            default: throw error
            }
        }
        return report
    }

    private static func examine(_ graph: Graph, _ report: inout VerificationReport) {
        let view = graph.view
        let slotCount = UInt32(graph.slotCount)
        report.count = graph.count
        report.slotCount = graph.slotCount
        report.deadCount = graph.deadCount
        var links = [UInt32](repeating: 0, count: view.baseCapacity)
        var back = links
        for slot in 0..<slotCount where view.isLive(slot) {
            if view.isTwin(slot) {
                report.twinCount += 1
                continue
            }
            let level = view.level(slot)
            while report.levelCounts.count <= level { report.levelCounts.append(0) }
            report.levelCounts[level] += 1
            let count = ck_read_links(view.list(slot, 0), view.baseCapacity, &links)
            report.linkCount += count
            for link in links[..<count] {
                let backCount = ck_read_links(view.list(link, 0), view.baseCapacity, &back)
                if !back[..<backCount].contains(slot) { report.oneWayLinkCount += 1 }
            }
        }
        let live = (0..<slotCount).reduce(0) { $0 + (view.isLive($1) ? 1 : 0) }
        if live != graph.count { report.problems.append("\(live) live slots for \(graph.count) keys") }
        report.unreachableCount = unreachable(graph)
    }

    private static func unreachable(_ graph: Graph) -> Int {
        let view = graph.view
        var seen = [Bool](repeating: false, count: graph.slotCount)
        var stack: [UInt32] = []
        if let entry = graph.entry { stack.append(entry.slot) }
        var links = [UInt32](repeating: 0, count: view.baseCapacity)
        while let slot = stack.popLast() {
            if seen[Int(slot)] { continue }
            seen[Int(slot)] = true
            for level in 0...view.level(slot) {
                let count = ck_read_links(view.list(slot, level), view.capacity(level), &links)
                for link in links[..<count] where !seen[Int(link)] { stack.append(link) }
            }
        }
        return seen.indices.reduce(0) { $0 + (!seen[$1] && view.isLinked(UInt32($1)) ? 1 : 0) }
    }
}
