import Domain
import Embeddings
import Foundation
import TestSupport
import Testing

@testable import Search

@Suite("Search by meaning")
struct MeaningTests {
    /// Question, and the record that answers it in other words.
    static let questions = [
        ("the gas that makes party balloons float", "Helium"),
        ("what is inside a phone's rechargeable cell", "Lithium"),
        ("keeps swimming pools clean", "Chlorine"), ("fuel of nuclear reactors", "Uranium"),
        ("metal cans for drinks", "Aluminum"), ("what our bones are made of", "Calcium"),
    ]

    static let records: [(name: String, uses: String)] = [
        ("Helium", "Used in balloons, deep sea diving & welding. Also used in very low temperature research."),
        ("Lithium", "Used in batteries. Also for certain kinds of glass and ceramics."),
        ("Chlorine", "Used in water purification, bleaches, acids and many other compounds."),
        ("Uranium", "For many centuries a pigment for glass. Now used in power stations and in bombs."),
        ("Aluminum", "Used for many purposes from airplanes to beverage cans."),
        ("Calcium", "Used by many forms of life to make shells and the skeleton. Also in cement."),
        ("Gold", "Used in electronics, jewelry and coins."), ("Iron", "Used in steel and other alloys."),
        ("Tungsten", "Made into filaments for vacuum tubes and electric lights."),
        ("Silver", "Used in alloys for jewelry and in photography."),
    ]

    @Test("with the real model, records are found that share few words with the question")
    func realModel() async throws {
        let directory = repositoryRoot.appendingPathComponent("models/all-MiniLM-L6-v2").path
        try #require(
            FileManager.default.fileExists(atPath: directory + "/model.safetensors"),
            "the model is missing: run scripts/fetch-model"
        )
        let embedder = try TransformerEmbedder.load(directory: directory, pool: ComputePool(threads: 2))
        try await withSearch(embedder: embedder) { world in
            let table = try await world.notes()
            for record in Self.records {
                try await world.create(table, ["Name": .string(record.name), "Text": .string(record.uses)])
            }
            try await world.index()
            var first = 0
            for (question, answer) in Self.questions {
                let hits = try await world.hits(question, limit: 3)
                let names = hits.compactMap { $0.fields["Name"]?.stringValue }
                #expect(names.contains(answer), "\(question): \(names)")
                if names.first == answer { first += 1 }
            }
            #expect(first >= 5)
            try await world.expectSound(comparesVectors: true)
        }
    }
}
