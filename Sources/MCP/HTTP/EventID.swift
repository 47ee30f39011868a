/// The id of an event: which stream of its session, and which place in it. Place 0 is before the first message.
struct EventID: Sendable, Hashable {
    let stream: Int
    let place: Int

    init(stream: Int, place: Int) {
        self.stream = stream
        self.place = place
    }

    /// Reads a `Last-Event-ID`; nil for what is none of ours.
    init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let stream = Int(parts[0]), let place = Int(parts[1]), stream > 0, place >= 0,
            "\(stream)-\(place)" == text
        else { return nil }
        self.init(stream: stream, place: place)
    }

    var text: String { "\(stream)-\(place)" }
}
