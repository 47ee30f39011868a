import ArgumentParser
import Foundation
import VectorIndex

/// Builds and queries an index from files of vectors, for measuring it beside others.
///
/// Arguments and output are an agreement with the harness that runs the peers; the last line on stdout is JSON.
struct ANNBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ann-bench",
        abstract: "Build and query a vector index from .npy files, for measuring.",
        shouldDisplay: false,
        subcommands: [ANNBenchBuild.self, ANNBenchQuery.self, ANNBenchChurn.self]
    )
}

/// `--opt key=value`: `quant=none`, `residency=mapped|resident`.
struct ANNBenchOptions {
    var residency = IndexResidency.resident

    init(_ texts: [String]) throws {
        for text in texts {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            switch (parts.first, parts.last) {
            case ("quant", "none"): break
            case ("residency", .some(let name)):
                guard let residency = IndexResidency(rawValue: name) else {
                    throw ValidationError("residency must be mapped or resident, not \(name)")
                }
                self.residency = residency
            default: throw ValidationError("unknown option \(text); known: quant=none, residency=mapped|resident")
            }
        }
    }
}

enum ANNBenchMetric: String, ExpressibleByArgument, CaseIterable {
    case cosine, l2

    var metric: Metric { self == .cosine ? .cosine : .l2 }
}

enum ANNBenchProcess {
    /// Bytes of memory in use, shared pages of mapped files among them.
    static func residentBytes() -> Int {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8),
            let pages = text.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        else { return 0 }
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    static func writeLine(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var line = try encoder.encode(value)
        line.append(10)
        try FileHandle.standardOutput.write(contentsOf: line)
    }

    static func vectors(_ path: String) throws -> (values: [Float], rows: Int, columns: Int) {
        let array = try NPYFile.read(path)
        guard case .float32(let values) = array.values, array.shape.count == 2 else {
            throw ValidationError("\(path) must hold float32 of two axes, not \(array.shape)")
        }
        return (values, array.shape[0], array.shape[1])
    }
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
