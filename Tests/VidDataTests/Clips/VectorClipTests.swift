import Testing
import VidConfig
import VidData
import VidSystem
import VidTensor
import VidTestSupport

/// `.npy` files of two axes: vectors over time.
@Suite struct VectorClipTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    private func npy<Number: BinaryFloatingPoint>(_ name: String, _ values: [Number], _ shape: String, version: UInt8 = 1) throws -> String
    {
        let descriptor = Number.self == Double.self ? "<f8" : "<f4"
        return try folder.write(
            name,
            FileBytes.npy(NumpyFileTests.dictionary(descriptor, shape), values.withUnsafeBytes { Array($0) }, version: version))
    }

    private func loader(frames: Int = 4, features: Int = 3, _ shortClips: ShortClips = .mask) throws -> ClipLoader {
        ClipLoader(
            try RunConfiguration(
                json: """
                    {"model": {"input": {"frames": \(frames), "features": \(features)}, "cnn": null},
                     "data": {"short_clips": "\(shortClips.rawValue)"}}
                    """, source: "a test"))
    }

    @Test(arguments: [UInt8(1), 2])
    func floatsAndDoubles(version: UInt8) throws {
        let values = (0..<15).map { Float($0) / 8 - 1 }
        let floats = try npy("a.npy", values, "5, 3", version: version)
        let doubles = try npy("b.npy", values.map(Double.init), "5, 3", version: version)
        for path in [floats, doubles] {
            let file = try NumpyFile.open(path)
            #expect(file.isVectors && file.shape == ClipShape(frames: 5, channels: 1, rows: 1, columns: 3))
            #expect(try file.read().pixels == .floats(values))
            #expect(try file.read(frames: [1, 4]).pixels == .floats(Array(values[3..<6] + values[12..<15])))
        }
        #expect(try NumpyFile.open(doubles).coding == "float64")
    }

    /// A payload of several pieces of the file.
    @Test func longDoubles() throws {
        let values = (0..<400_000).map { Double($0) }
        let clip = try NumpyFile.read(try npy("a.npy", values, "4000, 100"))
        #expect(clip.pixels == .floats(values.map(Float.init)))
    }

    @Test(
        arguments: [
            ("<f4", "15", "False", "found shape (15); save a[:, None]"), ("<f8", "15", "False", "found shape (15); save a[:, None]"),
            ("<f8", "5, 3, 1", "False", "the two axes (frames, features) of vectors, found shape (5, 3, 1)"),
            ("<f4", "5, 3", "True", "expected C order, found Fortran order"),
            ("<i8", "5, 3", "False", "found int64 ('<i8'); save a.astype('<f4')"),
            (">f4", "5, 3", "False", "found float32 ('>f4'); save a.astype('<f4')"),
            ("|O", "5, 3", "False", "Python objects ('|O')"), ("<U4", "5, 3", "False", "'<U4'; save an array of numbers"),
            ("<f4", "5, 0", "False", "expected 1...16384 features, found 0"), ("<f4", "0, 3", "False", "frames, found 0"),
            ("<f4", "5, 4", "False", "cut off: expected 80 bytes"), ("<f8", "5, 3", "False", "cut off: expected 120 bytes"),
        ])
    func refusals(descriptor: String, shape: String, order: String, words: String) throws {
        let path = try folder.write(
            "a.npy", FileBytes.npy(NumpyFileTests.dictionary(descriptor, shape, order: order), [UInt8](repeating: 0, count: 60)))
        let error = #expect(throws: VidclassError.self) { try NumpyFile.open(path) }
        #expect(error?.kind == .badData && error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test func numbersMustBeFinite() throws {
        for (bad, words) in [(Double.nan, "found nan in frame 3, feature 1"), (1e300, "found inf in frame 3, feature 1 (float32 reaches")] {
            var values = [Double](repeating: 1, count: 15)
            values[10] = bad
            let path = try npy("a.npy", values, "5, 3")
            let error = #expect(throws: VidclassError.self) { try NumpyFile.read(path) }
            #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
        }
    }

    @Test func shortClipsAreMaskedOrRepeated() async throws {
        let path = try npy("a.npy", (0..<6).map { Float($0) }, "2, 3")
        let masked = try await loader().load(path)
        #expect(masked.validFrames == 2 && masked.clip.shape.frames == 4)
        let looped = try await loader(.loop).load(path)
        #expect(looped.validFrames == 4 && looped.clip.pixels == .floats([0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5]))
        // All views in one pass.
        let long = try npy("b.npy", (0..<30).map { Float($0) }, "10, 3")
        let views = try await loader().loadAll(long, views: [.evaluation(index: 0, count: 2), .evaluation(index: 1, count: 2)])
        #expect(views.count == 2 && views.allSatisfy { $0.validFrames == 4 })
    }

    private func loader(_ shortClips: ShortClips) throws -> ClipLoader { try loader(frames: 4, shortClips) }

    @Test func otherClipsAreRefused() async throws {
        let vectors = try npy("a.npy", (0..<6).map { Float($0) }, "2, 3")
        let pixels = try npy("b.npy", (0..<6).map { Float($0) }, "2, 1, 1, 3")
        func message(_ loader: ClipLoader, _ path: String) async throws -> String {
            (await #expect(throws: VidclassError.self) { try await loader.load(path) })?.message ?? ""
        }
        #expect(try await message(loader(features: 5), vectors).contains("expected 5 features, found 3"))
        #expect(try await message(loader(), pixels).contains("expected vectors (a .npy file of (frames, 3)), found pixels"))
        let ofPixels = ClipLoader(frames: 2, channels: 1, rows: 1, columns: 3)
        let text = try await message(ofPixels, vectors)
        #expect(text.contains("found vectors of 3 features") && text.contains("model.cnn=null"), "\(text)")
    }

    /// A check finds the kind, the size, two clips with the same numbers in different splits, and what does not fit.
    @Test func check() async throws {
        for (name, first) in [("train/a/1", 1), ("train/b/1", 2), ("val/a/1", 1), ("val/b/1", 4)] {
            try folder.makeFolder("data/" + PathText.parent(name))
            _ = try npy("data/\(name).npy", (0..<120).map { Float($0 * first) }, "40, 3")
        }
        let data = try DataSet.open(folder("data"), split: .none)
        let report = try await DataCheck(loader: loader()).run(data)
        #expect(report.bad.isEmpty && report.facts.allSatisfy { $0.kind == ClipFacts.vectors && $0.coding == "float32" && $0.columns == 3 })
        #expect(report.leaks?.count == 1 && report.leaks?.first?.isIdentical == true)
        #expect(try await DataCheck(loader: loader(features: 2)).run(data).bad.count == 4)
        // Facts are kept between runs.
        let facts = report.facts[0]
        #expect(ClipFacts(encoded: facts.encoded) == facts)
        #expect(try await DataReport.survey(data).facts.allSatisfy { $0.kind == ClipFacts.vectors })
    }
}
