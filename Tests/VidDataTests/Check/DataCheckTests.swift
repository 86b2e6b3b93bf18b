import Foundation
import Synchronization
import Testing
import VidConfig
import VidData
import VidSystem
import VidTensor
import VidTestSupport

/// A cache in memory that counts its hits.
final class CountingCache: ClipCache {
    private let state = Mutex((facts: [String: ClipFacts](), hits: 0))

    var hits: Int { state.withLock { $0.hits } }
    var count: Int { state.withLock { $0.facts.count } }

    func facts(of path: String, variant: String) -> ClipFacts? {
        state.withLock { state in
            guard let facts = state.facts[path + "\0" + variant] else { return nil }
            state.hits += 1
            return facts
        }
    }

    func remember(_ facts: ClipFacts, of path: String, variant: String) {
        state.withLock { $0.facts[path + "\0" + variant] = facts }
    }

    func save() {}
}

@Suite struct DataCheckTests {
    private let box: TestFolder

    init() throws { box = try TestFolder() }

    private func write(_ name: String, _ clip: Clip) throws {
        let path = box(name)
        try FileManager.default.createDirectory(atPath: PathText.parent(path), withIntermediateDirectories: true)
        try ClipFile.write(clip, to: path)
    }

    /// A clip of random bytes.
    private func clip(_ seed: UInt64, frames: Int = 6, rows: Int = 32, columns: Int = 32, channels: Int = 3) -> Clip {
        var random = RandomGenerator(seed: seed)
        let shape = ClipShape(frames: frames, channels: channels, rows: rows, columns: columns)
        // 4 x 4 squares of one value, so that prints differ.
        let cells = (0..<frames * channels * 64).map { _ in UInt8(random.below(256)) }
        let values = (0..<shape.count).map { at in
            let (plane, row, column) = (at / (rows * columns), at / columns % rows, at % columns)
            return cells[plane * 64 + row * 8 / rows * 8 + column * 8 / columns]
        }
        return Clip(shape: shape, pixels: .bytes(values), framesPerSecond: 10)
    }

    private func npy(_ shape: String, _ descriptor: String, _ payload: [UInt8]) -> [UInt8] {
        let dictionary = Array("{'descr': '\(descriptor)', 'fortran_order': False, 'shape': (\(shape)), }\n".utf8)
        return [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0, UInt8(dictionary.count % 256), UInt8(dictionary.count / 256)] + dictionary
            + payload
    }

    /// What a thorough check has found holds for other checks, and for trainings.
    @Test func damageThatAThoroughCheckHasFound() async throws {
        for label in ["a", "b"] { try box.write("data/\(label)/0.mp4", Array("....ftypisom".utf8)) }
        let cache = CountingCache()
        var facts = ClipFacts(
            kind: "video", coding: "h264", frames: 3000, channels: 3, rows: 48, columns: 64, framesPerSecond: 25, digest: "ab12",
            prints: FramePrints(frames: []))
        for label in ["a", "b"] { cache.remember(facts, of: box("data/\(label)/0.mp4"), variant: "") }
        facts.damage = VideoDamage(decodingErrors: 7)
        cache.remember(facts, of: box("data/a/0.mp4"), variant: "thorough")
        let report = try await DataCheck(clipCache: cache).run(DataSet.open(box("data"), split: .none))
        #expect(report.damaged.map(\.entry.id) == ["a/0.mp4"])
        #expect(report.damaged.first?.facts?.damage?.decodingErrors == 7)
    }

    @Test func everyKindOfBadClip() async throws {
        for number in 0..<3 { try write("data/train/a/\(number).bin", clip(UInt64(number))) }
        try write("data/train/b/0.bin", clip(10))
        try write("data/val/a/0.bin", clip(20, rows: 16))
        try write("data/val/a/1.bin", clip(21, channels: 1))
        try write("data/val/b/2.bin", clip(22, frames: 2))
        var damaged = try box.bytes("data/train/a/0.bin")
        damaged[200] ^= 1
        try box.write("data/train/a/damaged.bin", damaged)
        try box.write("data/train/a/cut.bin", Array(damaged.prefix(300)))
        try box.write("data/train/b/text.npy", text: "no array")
        let values: [Float] = [1, 2, .nan, 4]
        try box.write("data/train/b/nan, \"here\"\n🎬.npy", npy("1, 1, 2, 2", "<f4", values.withUnsafeBytes { Array($0) }))
        try box.write("data/readme.txt", text: "hello")

        let data = try DataSet.open(box("data"), split: .none)
        let loader = ClipLoader(frames: 4, channels: 3, rows: 32, columns: 32, shortClips: .error)
        let report = try await DataCheck(loader: loader).run(data)
        let reasons = Dictionary(uniqueKeysWithValues: report.bad.map { ($0.entry.id, $0.reason ?? "") })
        #expect(reasons.count == 7)
        #expect(reasons["train/a/cut.bin"] != nil)
        for (clip, reason) in [
            ("train/a/damaged.bin", "checksum"), ("train/b/text.npy", "npy"), ("train/b/nan, \"here\"\n🎬.npy", "nan"),
            ("val/a/0.bin", "expected frames of 32x32"), ("val/a/1.bin", "expected 3 channels, found 1"),
            ("val/b/2.bin", "expected at least 4 frames, found 2"),
        ] {
            #expect(reasons[clip]?.contains(reason) == true, "\(clip)")
        }
        #expect(report.facts.count == 4)
        #expect(report.frames == DataReport.Spread([6]))
        #expect(report.rates?.median == 10)
        #expect(report.sizes == [DataReport.Size(rows: 32, columns: 32, channels: 3, clips: 4)])
        let error = try #require(report.badClipsError())
        #expect(error.kind == .badData)
        #expect(error.message.contains("7 bad clips of 11") && !error.message.contains("\n"))
        #expect(report.goodData.entries.count == 4)
        #expect(report.goodData.classes == data.classes)

        try report.writeSkipped(to: box("skipped.csv"))
        let table = String(decoding: try box.bytes("skipped.csv"), as: UTF8.self)
        #expect(table.hasPrefix("path,reason\n"))
        for clip in report.bad { #expect(table.contains(CSVText.line([clip.entry.id, clip.reason ?? ""].map(CSVText.cell)))) }

        let document = report.document
        #expect(document["bad"]?.intValue == 7)
        #expect(document["bad_clips"]?.arrayElements?.count == 7)
        #expect(document["files"]?.arrayElements?.count == 11)
        #expect(document["parts"]?["train"]?["by_class"]?["a"]?.intValue == 5)
        // If clips need not fit a model, only unreadable ones are bad.
        let lenient = try await DataCheck(loader: loader, mustFit: false).run(data)
        #expect(lenient.bad.count == 4)
        #expect(lenient.sizes.count == 3)
    }

    @Test func remarks() async throws {
        for number in 0..<7 { try write("data/a/\(number).bin", clip(UInt64(number))) }
        try write("data/b/0.bin", clip(10, frames: 1))
        let report = try await DataCheck().run(try DataSet.open(box("data"), split: .none))
        #expect(report.badClipsError() == nil && report.leakError() == nil)
        #expect(report.leaks == [])
        #expect(report.remarks.contains { $0.contains("the class \"b\" has only one training clip") })
        #expect(report.remarks.contains { $0.contains("the largest class has 7 training clips, the smallest 1") })
        #expect(report.remarks.contains { $0.contains("1 clip has a single frame") })
    }

    /// Floats that are not on the scale of bytes are said, unless pixels are used as they are.
    @Test func floatsOnOtherScales() async throws {
        func floats(_ low: Float, _ high: Float, _ seed: UInt64) -> Clip {
            var random = RandomGenerator(seed: seed)
            let shape = ClipShape(frames: 2, channels: 3, rows: 8, columns: 8)
            return Clip(shape: shape, pixels: .floats([low, high] + (2..<shape.count).map { _ in random.uniform(low, high) }))
        }
        try write("data/a/0.bin", floats(0, 1, 1))
        try write("data/a/1.bin", floats(0, 0.75, 2))
        try write("data/b/0.bin", floats(0, 255, 3))
        try write("data/b/1.bin", clip(4))
        let data = try DataSet.open(box("data"), split: .none)
        let cache = CountingCache()
        let expected =
            "2 clips, for example a/0.bin, have float32 values from 0 to 1 instead of 0 to 255; multiply them by 255: save "
            + "(a * 255).astype('float32')"
        for hits in [0, 4] {
            let report = try await DataCheck(clipCache: cache).run(data)
            #expect(cache.hits == hits && report.bad.isEmpty)
            #expect(report.remarks.contains { $0.hasPrefix(expected) }, "\(report.remarks)")
        }
        for (preprocessing, count) in [(PreprocessingName.torch, 1), (.none, 0)] {
            var configuration = RunConfiguration()
            configuration.data.preprocessing = preprocessing
            let report = try await DataCheck(loader: ClipLoader(configuration), mustFit: false).run(data)
            #expect(report.remarks.filter { $0.contains("float32 values") }.count == count)
            #expect(report.fitted(to: ClipLoader(RunConfiguration())).remarks.filter { $0.contains("float32 values") }.count == 0)
        }
        for (low, high, word) in [(Float(-1), Float(1), "(a + 1) * 127.5"), (0, 4095, "255 / 4095"), (-3, 3, ""), (0, 0, ""), (0, 200, "")]
        {
            let fault = PixelRange(floats(low, high, 5))?.fault
            #expect(word.isEmpty ? fault == nil : fault?.contains(word) == true, "\(low) to \(high): \(fault ?? "nil")")
        }
        #expect(PixelRange(clip(1)) == nil)
    }

    /// The same clip under two labels: by any spelling of its path, or by its content.
    @Test func clipsWithTwoLabels() async throws {
        for number in 0..<4 { try write("v/\(number).bin", clip(UInt64(number))) }
        try write("v/copy.bin", clip(0))
        try FileManager.default.createSymbolicLink(atPath: box("v/link.bin"), withDestinationPath: "0.bin")
        try FileManager.default.linkItem(atPath: box("v/0.bin"), toPath: box("v/hard.bin"))
        let rows = "path,label,split\nv/0.bin,a,train\nv/1.bin,a,train\nv/2.bin,b,train\nv/3.bin,b,val\n"
        func report(_ text: String) async throws -> DataReport {
            try await DataCheck().run(DataSet.open(try box.write("data.csv", text: text), split: .none))
        }
        #expect(try await report(rows).contradictions == [])
        for path in ["./v/0.bin", "v/../v/0.bin", box("v/0.bin"), "v/link.bin", "v/hard.bin", "v/copy.bin"] {
            let found = try await report(rows + "\(path),b,train\n")
            let isSameFile = path != "v/copy.bin"
            #expect(found.contradictions == [Contradiction(first: 0, second: 4, isSameFile: isSameFile)], "\(path)")
            let error = try #require(found.contradictionError())
            #expect(error.kind == .badData)
            #expect(
                error.message.hasSuffix(
                    "1 clip has two labels, for example v/0.bin (line 2, \"a\") and \(path.printable) (line 6, \"b\") "
                        + "\(isSameFile ? "are the same file" : "show the same frames"). Remove the wrong one"), "\(error.message)")
            #expect(found.document["contradictions"]?.arrayElements?.count == 1)
            #expect(found.divided(as: found.data).contradictions == found.contradictions)
            // In another split that the data names, it is a leak.
            let leak = try await report(rows + "\(path),b,val\n")
            #expect(leak.contradictions == [] && leak.leaks?.count == 1)
        }
        // Splits that are made at random do not matter.
        let all = "path,label\nv/0.bin,a\nv/1.bin,a\nv/2.bin,b\nv/3.bin,b\nv/copy.bin,b\n"
        for seed in UInt64(1)...4 {
            let data = try DataSet.open(try box.write("data.csv", text: all), split: .init(seed: seed, validation: 0.4))
            #expect(try await DataCheck().run(data).contradictions.count == 1)
        }
        #expect(try await report(all.replacing("v/copy.bin,b", with: "v/copy.bin,a")).contradictions == [])
    }

    @Test func leaksOfArrays() async throws {
        try write("data/train/a/0.bin", clip(1))
        try write("data/train/a/1.bin", clip(2))
        try write("data/train/b/0.bin", clip(3))
        try write("data/test/a/copy.bin", clip(1))
        try write("data/test/b/other.bin", clip(4))
        try write("data/test/b/large.bin", clip(3, rows: 64, columns: 64))
        let report = try await DataCheck().run(try DataSet.open(box("data"), split: .none))
        let leaks = try #require(report.leaks)
        #expect(
            leaks.map { [report.clips[$0.first].entry.id, report.clips[$0.second].entry.id] } == [
                ["train/a/0.bin", "test/a/copy.bin"], ["train/b/0.bin", "test/b/large.bin"],
            ])
        #expect(leaks.map(\.isIdentical) == [true, false])
        #expect(report.leakError()?.message.contains("2 pairs of clips") == true)
        #expect(try await DataCheck(leakCheck: false).run(report.data).leaks == nil)
    }

    @Test(arguments: [1, 3]) func cacheAndProgress(concurrency: Int) async throws {
        for number in 0..<4 { try write("data/a/\(number).bin", clip(UInt64(number))) }
        for number in 0..<4 { try write("data/b/\(number).bin", clip(UInt64(10 + number))) }
        try box.write("data/b/bad.bin", text: "no clip")
        let data = try DataSet.open(box("data"))
        let clipCache = CountingCache()
        let check = DataCheck(clipCache: clipCache, concurrency: concurrency)
        let seen = Mutex([DataCheck.Progress]())
        let first = try await check.run(data) { progress in seen.withLock { $0.append(progress) } }
        #expect(clipCache.hits == 0 && clipCache.count == 8)
        #expect(seen.withLock { $0.map(\.done) } == Array(0...9))
        #expect(seen.withLock { $0.last?.bad } == 1)
        let second = try await check.run(data) { progress in seen.withLock { $0.append(progress) } }
        #expect(clipCache.hits == 8)
        #expect(seen.withLock { $0.last?.remembered } == 8)
        #expect(first.document == second.document)
    }

    /// A file is known by its content, whatever its name says.
    @Test func namesThatSayAnotherFormat() async throws {
        for (name, seed) in [("a/0.mp4", 1), ("a/1.bin", 2), ("b/0.wav", 3), ("b/1.npy", 4)] {
            try write("data/" + name, clip(UInt64(seed)))
        }
        let data = try DataSet.open(box("data"), split: .none)
        let cache = CountingCache()
        let first = try await DataCheck(clipCache: cache).run(data)
        #expect(cache.count == 4 && first.facts.count == 4)
        let seen = Mutex([Int]())
        let second = try await DataCheck(clipCache: cache).run(data) { progress in seen.withLock { $0.append(progress.remembered) } }
        #expect(seen.withLock { $0.last } == 4)
        #expect(cache.count == 4 && second.facts == first.facts)
    }

    @Test func cancelled() async throws {
        for number in 0..<20 { try write("data/\(number % 2)/\(number).bin", clip(UInt64(number))) }
        let data = try DataSet.open(box("data"))
        let task = Task { try await DataCheck(concurrency: 1).run(data) { _ in withUnsafeCurrentTask { $0?.cancel() } } }
        await #expect(throws: CancellationError.self) { _ = try await task.value }
    }
}

@Suite(.enabled(if: FFmpegProgram.isInstalled, "ffmpeg is not installed: videos are not tested"))
struct VideoCheckTests {
    /// Makes a scrolling pattern, an elementary cellular automaton, that differs for each `number`.
    private static func make(_ videos: Videos, _ name: String, _ number: Int, options: [String] = []) throws -> String {
        let path = videos.folder(name)
        try FileManager.default.createDirectory(atPath: PathText.parent(path), withIntermediateDirectories: true)
        let source = "cellauto=rule=\([30, 90, 110, 150][number % 4]):size=96x64:rate=10:scroll=1:random_seed=\(number)"
        try FFmpegProgram.run(["-f", "lavfi", "-i", source, "-frames:v", "30", "-pix_fmt", "yuv420p"] + options + ["file:" + path])
        return path
    }

    /// Clips of two classes whose frames are equally bright.
    @Test func coloursTellClipsApart() async throws {
        let videos = try Videos()
        for (label, hue) in [("a", 0), ("b", 90)] {
            try videos.folder.makeFolder("data/" + label)
            try FFmpegProgram.run(
                ["-f", "lavfi", "-i", "testsrc2=size=64x48:rate=10,hue=h=\(hue)", "-frames:v", "20", "-pix_fmt", "yuv420p", "-c:v", "ffv1"]
                    + [videos.folder("data/\(label)/1.mkv")])
        }
        let report = try await DataCheck().run(try DataSet.open(videos.folder("data"), split: .none))
        #expect(report.clips.allSatisfy(\.isReadable) && report.contradictions.isEmpty)
    }

    @Test func copiesAndFaults() async throws {
        let videos = try Videos()
        let whole = try VideoCheckTests.make(videos, "data/train/a/one, \"two\"\n🎬 é.mp4", 0)
        for number in 1..<4 { _ = try VideoCheckTests.make(videos, "data/train/\(number < 3 ? "b" : "a")/\(number).mp4", number) }
        let input = ["-i", "file:" + whole]
        let folder = videos.folder("data/test/a")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: whole, toPath: folder + "/copy.mp4")
        try FFmpegProgram.run(input + ["-c:v", "mpeg4", "-q:v", "6", folder + "/encoded.avi"])
        try FFmpegProgram.run(input + ["-vf", "scale=192:128", folder + "/resized.mp4"])
        try FFmpegProgram.run(input + ["-vf", "trim=start_frame=7:end_frame=19,setpts=PTS-STARTPTS", folder + "/trimmed.mp4"])
        _ = try VideoCheckTests.make(videos, "data/test/a/other.mp4", 7)
        try FFmpegProgram.run([
            "-f", "lavfi", "-i", "color=black:size=96x64:rate=10", "-frames:v", "10", videos.folder("data/train/b/black.mp4"),
        ])
        try FFmpegProgram.run(["-f", "lavfi", "-i", "color=black:size=96x64:rate=10", "-frames:v", "10", folder + "/black.mp4"])
        let bytes = try videos.folder.bytes("data/train/b/1.mp4")
        try videos.folder.write("data/train/b/cut.mp4", Array(bytes.prefix(bytes.count * 2 / 3)))
        try videos.folder.write("data/train/b/text.mp4", text: "this is no video\n")

        let data = try DataSet.open(videos.folder("data"), split: .none)
        let report = try await DataCheck(loader: ClipLoader(frames: 16, channels: 3, rows: 32, columns: 32)).run(data)
        #expect(report.bad.map(\.entry.id) == ["train/b/cut.mp4", "train/b/text.mp4"])
        #expect(report.sizes.first == DataReport.Size(rows: 64, columns: 96, channels: 3, clips: 10))
        let leaks = try #require(report.leaks)
        #expect(Set(leaks.map { report.clips[$0.first].entry.id }) == ["train/a/one, \"two\"\n🎬 é.mp4"])
        #expect(
            leaks.map { PathText.name(report.clips[$0.second].entry.id) }.sorted() == [
                "copy.mp4", "encoded.avi", "resized.mp4", "trimmed.mp4",
            ])
        #expect(leaks.filter(\.isIdentical).map { PathText.name(report.clips[$0.second].entry.id) } == ["copy.mp4"])
        #expect(report.facts.allSatisfy { $0.kind == "video" && $0.framesPerSecond == 10 })
    }
}
