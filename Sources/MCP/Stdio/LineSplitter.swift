#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Cuts a byte stream into lines at LF, never holding more than one line of the largest length.
package struct LineSplitter {
    package enum Line: Equatable {
        /// Without its LF.
        case whole([UInt8])
        /// Longer than the limit. Told as soon as that is known; the rest is dropped up to its LF.
        case tooLong

        var byteCount: Int {
            switch self {
            case .whole(let bytes): bytes.count
            case .tooLong: 0
            }
        }
    }

    package let byteCountMax: Int

    private var pending: [UInt8] = []
    private var isSkipping = false

    package init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

    /// Takes the next bytes and hands on each line that they complete. Keeps nothing of the buffer.
    package mutating func feed(_ bytes: UnsafeRawBufferPointer, _ body: (Line) -> Void) {
        var rest = bytes[...]
        while let base = UnsafeRawBufferPointer(rebasing: rest).baseAddress,
            let newline = memchr(base, 0x0A, rest.count)
        {
            let length = UnsafeRawPointer(newline) - base
            take(rest.prefix(length), body)
            if !isSkipping { body(.whole(pending)) }
            pending = []
            isSkipping = false
            rest = rest.dropFirst(length + 1)
        }
        take(rest, body)
    }

    /// The stream has ended: hands on a last line that has no LF.
    package mutating func finish(_ body: (Line) -> Void) {
        if !pending.isEmpty { body(.whole(pending)) }
        pending = []
        isSkipping = false
    }

    private mutating func take(_ part: Slice<UnsafeRawBufferPointer>, _ body: (Line) -> Void) {
        guard !isSkipping, !part.isEmpty else { return }
        guard pending.count + part.count <= byteCountMax else {
            isSkipping = true
            pending = []
            return body(.tooLong)
        }
        pending.append(contentsOf: part)
    }
}
