extension String {
    /// The first `count` Unicode scalars, when there are more; nil for a text that is within the bound.
    ///
    /// Bounds are counted in scalars wherever a text comes from somebody else: what Swift calls one character may be a
    /// letter with a hundred thousand accents.
    package func cut(toScalars count: Int) -> String? {
        let scalars = unicodeScalars
        guard let end = scalars.index(startIndex, offsetBy: count, limitedBy: endIndex), end < endIndex else {
            return nil
        }
        return String(scalars[..<end])
    }
}
