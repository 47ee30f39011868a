import Domain

/// A shape of the API document that is read and written by hand: only its schema and an example are said here.
protocol WrittenShape: DocumentedWireType {
    static var example: JSONValue { get }
    var value: JSONValue { get }
    init(value: JSONValue)
}

extension WrittenShape {
    init(from decoder: any Decoder) throws { self.init(value: try JSONValue(from: decoder)) }
    func encode(to encoder: any Encoder) throws { try value.encode(to: encoder) }
    static var sample: Self { Self(value: example) }
}
