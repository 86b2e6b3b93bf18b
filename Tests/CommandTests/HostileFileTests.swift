import Foundation
import Testing
import VidCheckpoint
import VidData
import VidSystem
import VidTensor
import VidTestSupport

/// Crafted files of every format, each of which the built program must refuse as `expectRefusal` says.
@Suite struct HostileFileTests {
    private let box: TestFolder

    init() throws { box = try TestFolder() }

    /// Writes each file and runs each of the commands on it; "FILE" stands for its name.
    private func refuse(_ files: [HostileFile], _ commands: [[String]], sourceLocation: SourceLocation = #_sourceLocation) throws {
        for file in files {
            try box.write(file.name, file.bytes)
            for command in commands {
                try expectRefusal(
                    box, command.map { $0.replacing("FILE", with: file.name) }, naming: file.name, file.reason,
                    sourceLocation: sourceLocation)
            }
            try box.remove(file.name)
        }
    }

    // MARK: - Clips

    @Test func clips() throws {
        let shape = ClipShape(frames: 4, channels: 3, rows: 16, columns: 16)
        let payload = [UInt8](repeating: 7, count: shape.count)
        let header = ClipHeader(element: .uint8, shape: shape, framesPerSecond: 8, payloadCRC: CRC32.of(payload)).bytes
        func clip(_ bytes: [UInt8], at offset: Int) -> [UInt8] {
            let changed = header.putting(bytes, at: offset)
            return changed.putting(FileBytes.littleEndian(CRC32.of(changed[0..<60])), at: 60) + payload
        }
        let all: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF]
        try refuse(
            [
                HostileFile("empty.bin", [], "header of 64 bytes, found only 0"),
                HostileFile("short.bin", Array(header.prefix(63)), "header of 64 bytes, found only 63"),
                HostileFile("text.bin", text: String(repeating: "x", count: 200), "magic"),
                HostileFile("future.bin", clip([2], at: 8), "version at byte 8: expected 1, found 2"),
                HostileFile("type.bin", clip([9], at: 10), "element type at byte 10"),
                HostileFile("reserved.bin", clip([1], at: 44), "reserved bytes"),
                HostileFile("none.bin", clip([0, 0, 0, 0], at: 12), "frames, found 0"),
                HostileFile("wide.bin", clip(all, at: 24), "expected 1...16384 columns, found 4294967295"),
                HostileFile("overflow.bin", clip(all + [64, 0, 0, 0, 0, 64, 0, 0, 0, 64, 0, 0], at: 12), "more bytes than 2^63"),
                HostileFile("long.bin", clip(all, at: 12), "payload bytes at byte 32"),
                HostileFile("signed.bin", clip([0, 0, 0, 0, 0, 0, 0, 0x80], at: 32), "found 9223372036854775808"),
                HostileFile("most.bin", clip(all + all, at: 32), "found 18446744073709551615"),
                HostileFile("past.bin", clip([5], at: 12).putting([0, 15, 0, 0], at: 32), "the header's checksum"),
                HostileFile("rate.bin", clip([0, 0, 0x80, 0x7F], at: 28), "found inf"),
                HostileFile("cut.bin", (header + payload).dropLast(), "cut off"),
                HostileFile("more.bin", header + payload + [0], "1 bytes too many"),
            ], [["inspect", "FILE"]])
        let nan = [Float](repeating: .nan, count: shape.count).withUnsafeBytes { Array($0) }
        let floats = ClipHeader(element: .float32, shape: shape, framesPerSecond: 8, payloadCRC: CRC32.of(nan)).bytes
        try refuse(
            [
                HostileFile("flipped.bin", header + payload.putting([6], at: 99), "the payload's checksum"),
                HostileFile("nan.bin", floats + nan, "expected finite values, found nan in frame 0"),
            ], [["predict", "FILE", "--checkpoint", TrainedModel.best()], ["explain", "FILE", "--checkpoint", TrainedModel.best()]])
    }

    @Test func arrays() throws {
        func array(_ descriptor: String = "|u1", _ shape: String = "4, 3, 16, 16", order: String = "False", more: String = "") -> [UInt8] {
            FileBytes.npy(
                "{'descr': '\(descriptor)', 'fortran_order': \(order), 'shape': (\(shape)), \(more)}",
                [UInt8](repeating: 1, count: 3072))
        }
        try refuse(
            [
                HostileFile("empty.npy", [], "at least 10 bytes"), HostileFile("magic.npy", text: "not an array at all", "magic"),
                HostileFile("future.npy", array().putting([9], at: 6), "expected 1.0 or 2.0, found 9.0"),
                HostileFile("past.npy", array().putting([0xFF, 0xFF], at: 8), "expected a header of 65535 bytes"),
                HostileFile("most.npy", array().putting([2, 0, 0xFF, 0xFF, 0xFF, 0xFF], at: 6), "found a length of 4294967295"),
                HostileFile("objects.npy", array("|O"), "unpickled"), HostileFile("big.npy", array(">f4"), "big-endian"),
                HostileFile("order.npy", array(order: "True"), "Fortran"),
                HostileFile("huge.npy", array("<f4", "1000000000, 3, 16, 16"), "cut off"),
                HostileFile("overflow.npy", array("<f4", "4294967295, 64, 16384, 16384"), "2^63"),
                HostileFile("signed.npy", array("|u1", "9223372036854775808, 1, 1, 1"), "over 2^63"),
                HostileFile("negative.npy", array("|u1", "-4, 3, 16, 16"), "found '-'"),
                HostileFile("nine.npy", array("|u1", "1, 1, 1, 1, 1, 1, 1, 1, 3072"), "of 9 axes"),
                HostileFile("twice.npy", array(more: "'descr': '|u1'"), "appears twice"),
                HostileFile("extra.npy", array(more: "'x': 1"), "unknown key 'x'"), HostileFile("more.npy", array() + [0], "too many"),
            ], [["inspect", "FILE"]])
        let infinite = [Float](repeating: -.infinity, count: 768).withUnsafeBytes { Array($0) }
        let header = FileBytes.npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, 16, 16), }")
        try refuse(
            [HostileFile("infinite.npy", header + infinite, "found -inf in frame 0 (value 0)")],
            [["predict", "FILE", "--checkpoint", TrainedModel.best()]])
    }

    // MARK: - Weights

    @Test func safetensors() throws {
        func file(_ header: String) -> [UInt8] { FileBytes.safetensors(header, values: [1, 2, 3, 4]) }
        func tensor(_ name: String, _ shape: String, _ offsets: String, _ type: String = "U8") -> String {
            #""\#(name)":{"dtype":"\#(type)","shape":[\#(shape)],"data_offsets":[\#(offsets)]}"#
        }
        let good = file("{" + tensor("x", "4", "0,4") + "}")
        try refuse(
            [
                HostileFile("empty.safetensors", [], "too few"), HostileFile("seven.safetensors", [0, 0, 0, 0, 0, 0, 0], "too few"),
                HostileFile("past.safetensors", good.putting([200], at: 0), "should have 200 bytes"),
                HostileFile("signed.safetensors", good.putting([0, 0, 0, 0, 0, 0, 0, 0x80], at: 0), "9223372036854775808"),
                HostileFile("most.safetensors", good.putting([UInt8](repeating: 0xFF, count: 8), at: 0), "18446744073709551615"),
                HostileFile("utf8.safetensors", good.putting([0xFF], at: 10), "not valid UTF-8"),
                HostileFile("deep.safetensors", file(String(repeating: #"{"x":"#, count: 40)), "nested deeper than 32"),
                HostileFile("first.safetensors", file("[]"), "starts with '{'"),
                HostileFile(
                    "twice.safetensors", file("{" + tensor("x", "2", "0,2") + "," + tensor("x", "2", "2,4") + "}"), "appears twice"),
                HostileFile("overlap.safetensors", file("{" + tensor("x", "3", "0,3") + "," + tensor("y", "2", "2,4") + "}"), "overlaps"),
                HostileFile("hole.safetensors", file("{" + tensor("x", "2", "2,4") + "}"), "leaves a hole"),
                HostileFile("more.safetensors", good + [0], "1 bytes after its last tensor"),
                HostileFile("huge.safetensors", file("{" + tensor("x", "1000000000000", "0,4") + "}"), "takes 1000000000000 bytes"),
                HostileFile("overflow.safetensors", file("{" + tensor("x", "4294967296,4294967296", "0,4") + "}"), "larger than any file"),
                HostileFile("negative.safetensors", file("{" + tensor("x", "-4", "0,4") + "}"), "whole numbers"),
                HostileFile("fraction.safetensors", file("{" + tensor("x", "4.0", "0,4") + "}"), "whole numbers"),
                HostileFile("nine.safetensors", file("{" + tensor("x", "1,1,1,1,1,1,1,1,4", "0,4") + "}"), "9 axes"),
                HostileFile("type.safetensors", file("{" + tensor("x", "1", "0,4", "F128") + "}"), "F128"),
                HostileFile("field.safetensors", file(#"{"x":{"dtype":"U8","shape":[4],"data_offsets":[0,4],"order":"F"}}"#), "order"),
                HostileFile("name.safetensors", file("{" + tensor(#"a\u0000b"#, "4", "0,4") + "}"), "control characters"),
                HostileFile("half.safetensors", file("{" + tensor(#"\ud800"#, "4", "0,4") + "}"), "surrogate"),
            ], [["weights", "import", "FILE"]])
        try refuse(
            [HostileFile("other.safetensors", good, "neither a torchvision VGG")],
            [["weights", "import", "FILE"], ["inspect", "FILE"]])
        try refuse(
            [
                HostileFile(
                    "vgg16.pth", [0x80, 2, 0x63, 0x6F, 0x73, 0x0A, 0x73, 0x79, 0x73], "a Python pickle, such as PyTorch's older .pth files"),
                HostileFile("vgg16.pt", [0x50, 0x4B, 3, 4, 0, 0, 0, 0, 0], "a ZIP archive, such as PyTorch's .pth and .pt files"),
            ], [["weights", "import", "FILE"]])
        #expect(!box.exists(".cache/vidclass/weights"))
    }

    @Test(arguments: [
        "cycle", "huge", "external_link", "soft_link", "external_storage", "virtual", "rank", "bomb", "wide", "long_list", "dots", "filter",
        "nan", "not_utf8",
    ])
    func hdf5(_ name: String) throws {
        let fixtures =
            URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
            + "/VidCheckpointTests/Fixtures/"
        try FileManager.default.copyItem(atPath: fixtures + "bad_\(name).h5", toPath: box("bad.h5"))
        try expectRefusal(box, ["weights", "import", "bad.h5"], naming: "bad.h5", "bad.h5: ")
        #expect(!box.exists(".cache/vidclass/weights"))
    }

    // MARK: - Checkpoints

    @Test func checkpoints() throws {
        let best = try TrainedModel.best()
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: best)))
        let predict = ["predict", try #require(try clip()), "--checkpoint", "FILE"]
        try refuse(
            [
                HostileFile("flipped.safetensors", bytes.putting([bytes[bytes.count - 3] ^ 1], at: bytes.count - 3), "damaged"),
                HostileFile("cut.safetensors", bytes.dropLast(), "the file has only"),
                HostileFile("more.safetensors", bytes + [0], "after its last tensor"),
            ], [predict, ["inspect", "FILE"], ["eval", "--checkpoint", "FILE", "--data", TrainedModel.folder()("data")]])

        func crafted(
            _ name: String, _ reason: String, config: @escaping (String) -> String = { $0 },
            classes: @escaping ([String]) -> [String] = { $0 },
            splits: String? = nil, change: @escaping (String, Tensor) -> Void = { _, _ in }
        ) throws {
            try TrainedModel.rewrite(best, to: box(name), config: config, classes: classes, splits: splits, change: change)
            try expectRefusal(box, predict.map { $0.replacing("FILE", with: name) }, naming: name, reason)
        }
        try crafted(
            "nan.safetensors", "is nan; weights must be finite",
            change: { name, tensor in
                if name == "output/bias" { tensor.base[0] = .nan }
            })
        try crafted("classes.safetensors", "output/kernel is", classes: { $0 + ["another"] })
        try crafted("twice.safetensors", "appears twice", classes: { [$0[0], $0[0]] })
        try crafted("splits.safetensors", "metadata \"splits\": expected a digest", splits: String(repeating: "A", count: 64))
        try crafted("array.safetensors", "expected an object", config: { _ in "[]" })
        try crafted("key.safetensors", "unknown key", config: { _ in #"{"modell":{}}"# })
        try crafted(
            "huge.safetensors", "it is not a checkpoint of this model",
            config: { _ in
                #"{"model":{"input":{"rows":16,"columns":16},"cnn":{"architecture":{"blocks":[[4]]},"weights":null},"#
                    + #""hidden":[{"type":"dense","units":65536},{"type":"dense","units":65536}]}}"#
            })
        try crafted(
            "overflow.safetensors", "the features of one clip take",
            config: { _ in
                #"{"model":{"input":{"frames":65536,"rows":16384,"columns":16384,"channels":64},"cnn":{"architecture":"#
                    + #"{"blocks":[[65536]]},"weights":null,"pooling":"flatten"},"recurrent":["#
                    + Array(repeating: #"{"type":"batch_normalization"}"#, count: 9).joined(separator: ",") + "]}}"
            })
    }

    /// A checkpoint of a few kilobytes, all of whose weights fit, whose input no machine can hold.
    @Test(arguments: [(65536, 16384, 16384), (16, 16384, 16384), (65536, 2048, 2048)]) func anInputThatNoMachineHolds(
        frames: Int, rows: Int, columns: Int
    ) throws {
        let folder = try TrainedModel.folder()
        try TrainedModel.rewrite(
            try TrainedModel.best(), to: box("vast.safetensors"),
            config: { text in
                let changed = text.replacing(/"frames":\s*4/, with: "\"frames\": \(frames)", maxReplacements: 1)
                    .replacing(/"rows":\s*16/, with: "\"rows\": \(rows)", maxReplacements: 1)
                    .replacing(/"columns":\s*16/, with: "\"columns\": \(columns)", maxReplacements: 1)
                #expect(changed != text)
                return changed
            })
        let clip = try #require(try clip())
        for command in [["predict", clip], ["explain", clip]] {
            try expectRefusal(
                box, command + ["--checkpoint", "vast.safetensors"], naming: "vast.safetensors",
                "running this model on \(frames) frames of \(rows) x \(columns) x 3 needs at least ")
        }
        // The clips are not the model's: that says more than its memory.
        let result = try box.run("eval", "--checkpoint", "vast.safetensors", "--data", folder("data"), "--no-report")
        #expect(result.status == 65 && result.errors.contains("expected frames of \(rows)x\(columns)"), "\(result.errors)")
        #expect(try box.run("inspect", "vast.safetensors").status == 0)
        // A video has any size.
        try Self.movie(box("clips/left/a.mp4"))
        guard box.exists("clips/left/a.mp4") else { return }
        try Self.movie(box("clips/right/a.mp4"))
        let film = try box.run("eval", "--checkpoint", "vast.safetensors", "--data", "clips", "--no-report", "--no-cache")
        #expect(film.status == 65 && film.errors.contains("GiB of memory, but"), "\(film.status) \(film.errors)")
    }

    /// Writes a short film, if ffmpeg is installed.
    private static func movie(_ path: String) throws {
        guard FFmpegProgram.isInstalled else { return }
        try FileManager.default.createDirectory(atPath: PathText.parent(path), withIntermediateDirectories: true)
        try FFmpegProgram.run(["-f", "lavfi", "-i", "testsrc=size=32x32:rate=8:duration=1", path])
    }

    /// A clip that fits the trained model.
    private func clip() throws -> String? {
        let folder = try TrainedModel.folder()
        let names = try FileManager.default.subpathsOfDirectory(atPath: folder("data")).filter { $0.hasSuffix(".bin") }.sorted()
        return names.first.map { folder("data/" + $0) }
    }

    /// A run from somebody else: its state has a valid checksum, but numbers that no training produces.
    @Test func statesToGoOnFrom() throws {
        let run = try TrainedModel.folder()("runs/train")
        try FileManager.default.createDirectory(atPath: box("runs"), withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: run, toPath: box("runs/train"))
        try FileManager.default.createSymbolicLink(atPath: box("data"), withDestinationPath: TrainedModel.folder()("data"))
        let last = run + "/weights/last.safetensors"
        for (old, new) in [
            (#""order":[]"#, #""order":[99999999]"#), (#""epoch":1"#, #""epoch":9223372036854775807"#), (#""stage":0"#, #""stage":-1"#),
            (#""stage":0"#, #""stage":9223372036854775807"#),
            (#""stageEpoch":0,"step":0"#, #""stageEpoch":0,"step":-9223372036854775808"#),
            (#""clips":0"#, #""clips":-9223372036854775808"#),
            (#""remaining":0"#, #""remaining":-9223372036854775808"#), ("{", #"{"orderRandom":1,"#),
            (#""running":"#, #""walking":"#),
        ] {
            try TrainedModel.rewrite(
                last, to: box("runs/train/weights/last.safetensors"),
                state: { text in
                    let changed = text.replacing(old, with: new, maxReplacements: 1)
                    #expect(changed != text, "\(old) in \(text)")
                    return changed
                })
            try? box.remove("runs/train/weights/previous.safetensors")
            try expectRefusal(
                box, ["train", "--resume", "runs/train", "--set", "training.epochs=3", "--quiet"], naming: "last.safetensors",
                "train/weights/last.safetensors: ")
        }
    }

    // MARK: - Text

    @Test func configs() throws {
        func deep(_ depth: Int) -> String { String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
        try refuse(
            [
                HostileFile("empty.json", [], ":1:1: expected a value"), HostileFile("array.json", text: "[]", "expected an object"),
                HostileFile("deep.json", text: #"{"seed":\#(deep(100_000))}"#, "nested deeper than 32"),
                HostileFile("twice.json", text: #"{"seed":1,"seed":2}"#, "appears twice"),
                HostileFile("utf16.json", [0xFF, 0xFE, 0x7B, 0, 0x7D, 0], "UTF-16"),
                HostileFile("utf8.json", Array(#"{"seed":""#.utf8) + [0xC3, 0x28] + Array("\"}".utf8), "not valid UTF-8"),
                HostileFile("zero.json", text: "{\"seed\":1}\0", "a zero byte"),
                HostileFile("half.json", text: #"{"data":{"path":"\ud800"}}"#, "surrogate"),
                HostileFile("nul.json", text: #"{"data":{"path":"a\u0000b"}}"#, "data.path"),
                HostileFile("large.json", text: #"{"training":{"epochs":1e400}}"#, "does not fit double precision"),
                HostileFile("hex.json", text: #"{"training":{"epochs":0x10}}"#, "expected ',' or '}'"),
                HostileFile("plus.json", text: #"{"training":{"epochs":+1}}"#, "expected a value"),
                HostileFile("under.json", text: #"{"training":{"epochs":1_000}}"#, "expected ',' or '}'"),
                HostileFile("minus.json", text: #"{"training":{"epochs":-0}}"#, "training.epochs"),
                HostileFile("comma.json", text: #"{"optimizer":{"learning_rate":0,002}}"#, "expected a key"),
                HostileFile("nan.json", text: #"{"optimizer":{"learning_rate":NaN}}"#, "JSON's numbers are finite"),
                HostileFile("key.json", text: #"{"trainin":{}}"#, "did you mean \"training\"?"),
                HostileFile("up.json", text: #"{"output":{"name":"../x"}}"#, "output.name"),
                HostileFile(
                    "layers.json", text: #"{"model":{"cnn":{"architecture":{"blocks":[[\#(String(repeating: "1,", count: 200_000))1]]}}}}"#,
                    "at most 256 elements, found 200001"),
                HostileFile("mega.json", [UInt8](repeating: 0x20, count: 1 << 20 + 1), "at most 1048576 are read"),
                HostileFile("cut.json", text: String(TrainedModel.config.prefix(300)), "cut.json:"),
            ], [["train", "--config", "FILE"]])
        try refuse(
            [
                HostileFile(
                    "overflow.json",
                    text: #"{"model":{"input":{"frames":65536,"rows":16384,"columns":16384,"channels":64},"cnn":{"architecture":"#
                        + #"{"blocks":[[65536]]},"weights":null,"pooling":"flatten"},"recurrent":["#
                        + Array(repeating: #"{"type":"batch_normalization"}"#, count: 9).joined(separator: ",") + "]}}",
                    "the features of one clip take")
            ], [["inspect", "FILE"]])
    }

    @Test func tables() throws {
        let clip = try #require(try clip())
        try refuse(
            [
                HostileFile("empty.csv", [], "the table is empty"),
                HostileFile("quote.csv", text: "path,label\n\"\(clip),a\n", "line 2: a quoted field without its closing quote"),
                HostileFile("nul.csv", text: "path,label\n\(clip),a\0\n", "line 2: a NUL character"),
                HostileFile("return.csv", text: "path,label\n\(clip),a\rb\n", "line 2: a carriage return without a line feed"),
                HostileFile("utf8.csv", Array("path,label\nx.bin,".utf8) + [0xFF, 0x0A], "line 2: text that is not valid UTF-8"),
                HostileFile("utf16.csv", [0xFF, 0xFE] + "path,label\n".utf16.flatMap { FileBytes.littleEndian($0) }, "found no clips"),
                HostileFile("columns.csv", text: "path,label,path\n", "the column \"path\" appears twice"),
                HostileFile("wide.csv", text: String(repeating: ",", count: 1 << 20), "more than 65536 fields"),
                HostileFile("line.csv", text: String(repeating: "x", count: 8 << 20), "line 1: expected the columns path and label"),
                HostileFile("fields.csv", text: "path,label\n\(clip)\n", "line 2: expected 2 fields"),
                HostileFile("again.csv", text: "path,label\n\(clip),a\n\(clip),b\n", "is already in line 2"),
                HostileFile("split.csv", text: "path,label,split\n\(clip),a,0x1\n", "expected train, val or test, found \"0x1\""),
                HostileFile("passwd.csv", text: "path,label\n/etc/passwd,a\n", "not a clip"),
                HostileFile("folder.csv", text: "path,label\n.,a\n", "found no pictures"),
            ], [["check", "FILE"]])
        try box.write("config.json", text: TrainedModel.config)
        try refuse(
            [HostileFile("quote.csv", text: "path,label\n\"\(clip),a\n", "line 2: a quoted field without its closing quote")],
            [["train", "--config", "config.json", "--set", "data.path=FILE"]])
        try box.write("gone.csv", text: "path,label\nhttp://127.0.0.1/x.mp4,a\n")
        try expectRefusal(box, ["check", "gone.csv"], naming: "gone.csv", "does not exist", status: 66)
    }

    // MARK: - Special files

    /// The program doesn't wait for pipes, read devices or follow circular links for ever.
    @Test(arguments: ["bin", "npy", "safetensors", "h5", "json"]) func whatIsNoFile(_ kind: String) throws {
        try box.makeFolder("folder.\(kind)")
        try #require(mkfifo(box("pipe.\(kind)"), 0o666) == 0)
        for (name, target) in [("zero", "/dev/zero"), ("full", "/dev/full"), ("loop", "loop.\(kind)"), ("gone", "nowhere")] {
            try FileManager.default.createSymbolicLink(atPath: box("\(name).\(kind)"), withDestinationPath: target)
        }
        let command = kind == "json" ? ["train", "--config"] : ["safetensors", "h5"].contains(kind) ? ["weights", "import"] : ["inspect"]
        let statuses: [(String, Int32)] = [("folder", 65), ("pipe", 65), ("zero", 65), ("full", 65), ("loop", 74), ("gone", 66)]
        for (name, status) in statuses {
            try expectRefusal(box, command + ["\(name).\(kind)"], naming: "\(name).\(kind)", ": ", status: status)
        }
    }
}
