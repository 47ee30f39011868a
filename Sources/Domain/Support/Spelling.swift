/// Finds the name that somebody probably meant.
public enum Spelling {
    /// The candidate within a third of the word's length in edits (ignoring case); the first of equals.
    public static func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
        let target = Array(word.lowercased().unicodeScalars.prefix(64))
        var best: (name: String, distance: Int)?
        for candidate in candidates {
            let distance = editDistance(target, Array(candidate.lowercased().unicodeScalars.prefix(64)))
            if distance < best?.distance ?? Int.max { best = (candidate, distance) }
        }
        guard let best, best.distance <= max(1, target.count / 3) else { return nil }
        return best.name
    }

    /// Edits of one letter, and swaps of two neighbours, from one word to the other (optimal string alignment).
    private static func editDistance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
        var before: [Int] = []
        var above = Array(0...right.count)
        for line in left.indices {
            var row = [line + 1]
            for column in right.indices {
                let isEqual = left[line] == right[column]
                var best = min(above[column + 1] + 1, row[column] + 1, above[column] + (isEqual ? 0 : 1))
                let isSwap =
                    line > 0 && column > 0 && left[line] == right[column - 1] && left[line - 1] == right[column]
                if isSwap { best = min(best, before[column - 1] + 1) }
                row.append(best)
            }
            before = above
            above = row
        }
        return above[right.count]
    }
}
