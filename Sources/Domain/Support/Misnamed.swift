/// Tells of a name that nothing has, in one wording: `no field 'Statu' in table Tasks; did you mean 'Status'?`
///
/// Names are text of records: nothing in them hides or breaks the line, and they are cut.
public enum Misnamed {
    private static let namesShown = 12
    private static let nameCharacters = 80

    /// - Parameters:
    ///   - kind: what was asked for, such as `field`.
    ///   - place: where it was looked for, such as `table Tasks`; see `place(_:_:)`.
    ///   - names: those that the caller may see there, and no others.
    public static func message(
        _ kind: String,
        _ name: String,
        in place: String? = nil,
        among names: [String]
    ) -> String {
        let missing = "no \(kind) '\(shown(name))'" + (place.map { " in \($0)" } ?? "")
        if let nearest = Spelling.nearest(to: name, among: names) {
            return "\(missing); did you mean '\(shown(nearest))'?"
        }
        if names.isEmpty { return "\(missing); there are none" }
        let listed = names.prefix(namesShown).map { "'\(shown($0))'" }.joined(separator: ", ")
        let rest = names.count > namesShown ? " and \(names.count - namesShown) more" : ""
        return "\(missing); there \(names.count == 1 ? "is" : "are") \(listed)\(rest)"
    }

    /// `table Tasks`.
    public static func place(_ kind: String, _ name: String) -> String { "\(kind) \(shown(name))" }

    /// A name for one line of our own words.
    public static func shown(_ name: String) -> String {
        let line = name.split(whereSeparator: \.isNewline).joined(separator: " ")
        return HiddenText.visible(line.cut(toScalars: nameCharacters).map { $0 + "…" } ?? line)
    }
}
