import Testing
import VidExport
import VidSystem
import VidTestSupport

/// What is promised of every file: it holds the model, or there is none.
@Suite struct ExportedFileTests {
    /// A file that writes one byte, and gives back `found` for its tensors.
    private struct FakeFile: ExportedFile {
        let tensors: [ExportedTensor]
        var found: [WrittenTensor]

        func write(to file: AtomicFile) throws { try file.write([1]) }
        func readBack(_ path: String) throws -> [WrittenTensor] { found }
    }

    private let file: FakeFile
    private let box: TestFolder

    init() throws {
        box = try TestFolder()
        let tensors = try [2, 3].map { try ModelTensor(constant: (0..<$0).map(Float.init), [$0]).exported(as: "t\($0)") }
        file = FakeFile(tensors: tensors, found: tensors.map { WrittenTensor(name: $0.name, shape: $0.shape, values: $0.values()) })
    }

    private func fault(_ change: (inout [WrittenTensor]) -> Void) -> String {
        var other = file
        change(&other.found)
        let error = failure { try other.save(to: box("model")) }
        #expect(error?.kind == .inputOutput && !box.exists("model"))
        return error?.message ?? ""
    }

    @Test func aFileThatHoldsTheModelGetsItsName() throws {
        try file.save(to: box("model"))
        #expect(try box.names() == ["model"])
    }

    @Test func aFileThatDiffersIsNotKept() throws {
        #expect(
            fault { $0[1] = WrittenTensor(name: "t3", shape: [3], values: [0, 1, 2.5]) }.contains(#"number 2 of the tensor "t3" is 2.5"#))
        #expect(fault { $0[0] = WrittenTensor(name: "t2", shape: [2], values: [-0.0, 1]) }.contains(#"number 0 of the tensor "t2""#))
        #expect(fault { $0[0] = WrittenTensor(name: "t2", shape: [1, 2], values: [0, 1]) }.contains("[1, 2], expected [2]"))
        #expect(fault { $0.removeLast() }.contains(#""t3" is missing"#))
        #expect(fault { $0.append(WrittenTensor(name: "t4", shape: [1], values: [0])) }.contains(#""t4" is not part of the model"#))
        #expect(fault { $0.append($0[0]) }.contains("two tensors have one name"))
        #expect(try box.names() == [])
    }

    @Test func tooManyNumbersAreRefused() {
        let error = failure { try file.checkSize("model.onnx", limit: 16) }
        #expect(error?.kind == .badData && error?.message.contains("--part encoder") == true)
        #expect(failure { try file.checkSize("model.onnx", limit: 20) } == nil)
        #expect(file.mostBytes == 2_147_483_647)
    }
}
