/// English words too common to tell one text from another.
///
/// They are left out of a query, unless it has no other word; texts are indexed whole. The list is the usual one of
/// information retrieval: articles, pronouns, prepositions, conjunctions, auxiliary verbs and question words.
enum StopWords {
    static func contains(_ word: String) -> Bool { words.contains(word) }

    private static let words: Set<String> = Set(
        """
        a about above after again against all also am an and any are as at be because been before being below \
        between both but by can cannot could did do does doing down during each either few for from further \
        had has have having he her here hers herself him himself his how i if in into is it its itself just \
        may me might more most must my myself neither no nor not now of off on once only or other ought our \
        ours ourselves out over own same shall she should since so some such than that the their theirs them \
        themselves then there these they this those through to too under until up upon us very was we were \
        what when where whether which while who whom whose why will with would yet you your yours yourself \
        yourselves
        """.split(separator: " ").map(String.init)
    )
}
