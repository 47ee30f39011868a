import Testing

@testable import Gateway

@Suite("Ranges of a file")
struct ByteRangeTests {
    @Test(
        "are what the header says, cut at the file's end; what is no single range means all of it",
        arguments: [
            ("bytes=0-0", 0..<1), ("bytes=2-5", 2..<6), ("bytes=2-", 2..<10), ("bytes=-3", 7..<10),
            ("bytes=-99", 0..<10), ("bytes=9-99999999999999999999", 9..<10), ("Bytes = 1 - 2", 1..<3),
            (nil, nil), ("", nil), ("bytes", nil), ("bytes=", nil), ("bytes=-", nil), ("bytes=5-2", nil),
            ("bytes=a-b", nil), ("bytes=+1-2", nil), ("bytes=0-1,3-4", nil), ("lines=0-1", nil), ("bytes=1--2", nil),
        ] as [(String?, Range<Int64>?)]
    )
    func parsed(_ header: String?, _ expected: Range<Int64>?) throws {
        #expect(try ByteRange.wanted(header, size: 10) == expected)
    }

    @Test(
        "behind the end are told apart",
        arguments: ["bytes=10-", "bytes=10-12", "bytes=-0", "bytes=99999999999999999999-"]
    )
    func unsatisfiable(_ header: String) {
        #expect(throws: ByteRange.Unsatisfiable.self) { try ByteRange.wanted(header, size: 10) }
    }

    @Test("of an empty file: none")
    func empty() {
        #expect(throws: ByteRange.Unsatisfiable.self) { try ByteRange.wanted("bytes=0-", size: 0) }
        #expect(throws: ByteRange.Unsatisfiable.self) { try ByteRange.wanted("bytes=-1", size: 0) }
    }
}
