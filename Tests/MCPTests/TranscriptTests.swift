import Domain
import Foundation
import MCP
import Testing

@Suite("Transcripts")
struct TranscriptTests {
    @Test("every revision has its transcript")
    func revisionsAreCovered() {
        let names = Set(Transcript.all.map(\.description))
        for revision in ProtocolRevision.allCases { #expect(names.contains("\(revision.rawValue).txt")) }
    }

    @Test("the pure session answers each line as written down", arguments: Transcript.all)
    func session(_ transcript: Transcript) throws {
        let played = transcript.played()
        if Transcript.rewrites {
            try played.write(to: transcript.url, atomically: true, encoding: .utf8)
            return
        }
        let (expected, actual) = (transcript.lines, played.split(separator: "\n", omittingEmptySubsequences: false))
        for (position, (expected, actual)) in zip(expected, actual).enumerated() where expected != actual {
            Issue.record("\(transcript) line \(position + 1)\n  expected: \(expected)\n  actual:   \(actual)")
            return
        }
        #expect(expected.count == actual.count)
    }

    @Test("a server on real pipes answers the same", arguments: Transcript.all.filter { !$0.hasDirectives })
    func pipes(_ transcript: Transcript) async throws {
        try await withStdioServer(configuration: Transcript.configuration, offer: transcript.offer) { client in
            var expected: [String] = []
            for line in transcript.lines {
                if line.hasPrefix("← ") { expected.append(String(line.dropFirst(2))) }
                guard line.hasPrefix("→ ") else { continue }
                try await expect(expected, from: client)
                expected = []
                try await client.send(String(line.dropFirst(2)))
            }
            try await expect(expected, from: client)
        }
    }

    private func expect(_ expected: [String], from client: StdioClient) async throws {
        for line in expected {
            let actual = try await client.receive()
            #expect(try inAnyOrder(actual) == inAnyOrder(line))
        }
    }

    /// The answers to a batch come in the order in which they are ready.
    private func inAnyOrder(_ line: String) throws -> [String] {
        let value = try JSONValue(parsing: line)
        return value.arrayValue.map { $0.map(\.text).sorted() } ?? [value.text]
    }
}
