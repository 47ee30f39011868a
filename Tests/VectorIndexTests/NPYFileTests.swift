import Testing
import VectorIndex

@Suite("NPY files")
struct NPYFileTests {
    @Test("arrays come back as they were")
    func roundTrip() throws {
        try withTemporaryDirectory { directory in
            let arrays = [
                NPYArray(shape: [2, 3], values: .float32([1, -2, 3.5, 0, .infinity, 0x1p-140])),
                NPYArray(shape: [4], values: .int32([1, -1, .max, .min])),
                NPYArray(shape: [1, 2, 1], values: .int64([.max, .min])),
                NPYArray(shape: [0, 384], values: .float32([])),
            ]
            for array in arrays {
                try NPYFile.write(array, to: directory + "/a.npy")
                #expect(try NPYFile.read(directory + "/a.npy") == array)
                #expect(try bytes(directory + "/a.npy").prefix(6) == [0x93] + Array("NUMPY".utf8))
            }
        }
    }

    @Test("reads a header byte for byte as NumPy writes it")
    func header() throws {
        try withTemporaryDirectory { directory in
            let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }"
            let padded = text + String(repeating: " ", count: 118 - 1 - text.utf8.count) + "\n"
            let file =
                [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(padded.utf8) + [0, 0, 128, 63, 0, 0, 0, 192]
            try write(file, to: directory + "/n.npy")
            #expect(try NPYFile.read(directory + "/n.npy") == NPYArray(shape: [2], values: .float32([1, -2])))
            try NPYFile.write(NPYArray(shape: [2], values: .float32([1, -2])), to: directory + "/o.npy")
            #expect(try bytes(directory + "/o.npy") == file)
        }
    }

    @Test("rows written one batch after the other make one array")
    func streaming() throws {
        try withTemporaryDirectory { directory in
            let writer = try NPYWriter(path: directory + "/s.npy", columns: 2)
            try writer.append([1, 2])
            try writer.append([3, 4, 5, 6])
            #expect(try errorCode { try writer.append([7]) } == .dimensionMismatch)
            try writer.finish()
            #expect(
                try NPYFile.read(directory + "/s.npy")
                    == NPYArray(shape: [3, 2], values: .float32([1, 2, 3, 4, 5, 6]))
            )
            #expect(try files(in: directory) == ["s.npy"])
        }
    }

    @Test("damaged files are refused")
    func damage() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/d.npy"
            try NPYFile.write(NPYArray(shape: [2, 2], values: .float32([1, 2, 3, 4])), to: path)
            let good = try bytes(path)
            func replacing(_ old: String, _ new: String) -> [UInt8] {
                Array(String(decoding: good[10..<128], as: UTF8.self).replacing(old, with: new).utf8.prefix(118))
            }
            var bad: [[UInt8]] = [[], Array(good[..<20]), Array(good.dropLast()), good + [0], [1] + good.dropFirst()]
            for (old, new) in [
                ("<f4", "<f8"), ("<f4", ">f4"), ("False", "True "), ("2, 2", "2, 3"), ("2, 2", "-2,2"),
                ("shape", "shope"), ("(2, 2)", "(9223372036854775807, 2)"),
            ] {
                bad.append(Array(good[..<10]) + replacing(old, new) + Array(good[128...]))
            }
            for file in bad {
                try write(file, to: path)
                #expect(try errorCode { _ = try NPYFile.read(path) } == .corrupt)
            }
        }
    }
}
