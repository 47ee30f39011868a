import Domain
import HTTPTypes

extension TraceParent {
    static let header = HTTPField.Name("traceparent")!

    /// Nil without the header, with two of them, and for what is none.
    init?(_ headers: HTTPFields) {
        let values = headers[values: Self.header]
        guard values.count == 1 else { return nil }
        self.init(values[0])
    }
}
