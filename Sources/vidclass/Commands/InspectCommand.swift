import ArgumentParser
import VidCheckpoint
import VidConfig
import VidData
import VidModel
import VidReport
import VidSystem
import VidTensor

struct InspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show what is in a clip, video, sound, folder of pictures, checkpoint, weights file or config.",
        discussion: """
            A video is described as its container describes it, without decoding it: `check` finds damage within. Of a segment, \
            `start` and `first_frame` are its place in the video. Of a folder of numbered pictures, the first one is decoded, and \
            missing numbers are listed.

              vidclass inspect clip.bin
              vidclass inspect holiday.mp4 --json
              vidclass inspect 'match.mp4#t=2,6'
              vidclass inspect runs/train/weights/best.safetensors
              vidclass inspect Configs/vgg16-lstm.json
            """)

    @Argument(
        help: "A .bin, .npy, video, sound, .safetensors, .h5, .keras, .onnx or .json file, or a folder of pictures.", completion: .file())
    var file: String

    @OptionGroup var folderRate: FolderRateOptions

    @OptionGroup var output: JSONOptions

    func run() async throws {
        let facts = try await Inspection.of(file, fps: folderRate.fps)
        try output.print(facts.text, facts.document)
    }
}

/// The facts that `inspect` prints, in order, and a table.
private struct Inspection {
    private let facts: [(String, JSONNode)]
    private let table: (key: String, columns: [String], rows: [[JSONNode]])?
    /// For keys of facts, what the text says instead of the fact; nil to leave it out.
    private var words: [String: String?] = [:]

    static func of(_ file: String, fps: Double?) async throws -> Inspection {
        let name = file.lowercased()
        if name.hasSuffix(".json") { return try config(file) }
        if [".safetensors", ".h5", ".hdf5", ".keras", ".onnx"].contains(where: name.hasSuffix) { return try await model(file) }
        let clip = try await ClipInformation.read(file, files: MediaFiles(folderRate: fps))
        // The frames of a sound are those of its spectrogram with the defaults of data.audio.
        let sound: [(String, JSONNode)] =
            clip.sound.map {
                [("sample_rate", .integer($0.sampleRate)), ("sound_channels", .integer($0.channels)), ("seconds", .number($0.seconds))]
            } ?? []
        let video = clip.video
        let gaps: [(String, JSONNode)] =
            video?.container != VideoInfo.folderContainer
            ? [] : [("missing", .string(ifAny: try FrameFolder(ClipPath(file).file).missing))]
        return Inspection(
            facts: [
                ("kind", .string(clip.sound == nil ? "clip" : "sound")), ("file", .string(file)), ("format", .string(clip.format)),
            ] + sound + (video.map { facts($0, clip) } ?? []) + gaps + (ClipPath(file).segment == nil ? [] : place(clip.clipFrames)) + [
                ("element", .string(clip.element)),
                ("frames", .integer(clip.frames)),
            ] + size(clip) + [("frames_per_second", .number(clip.framesPerSecond))], table: nil, words: video.map { words($0, clip) } ?? [:]
        )
    }

    private static func size(_ clip: ClipInformation) -> [(String, JSONNode)] {
        if let features = clip.features { return [("features", .integer(features))] }
        return [("channels", .integer(clip.channels)), ("rows", .integer(clip.rows)), ("columns", .integer(clip.columns))]
    }

    /// Where a segment begins in its file.
    private static func place(_ frames: ClipFrames) -> [(String, JSONNode)] {
        [("start", .number(ifAny: frames.start)), ("first_frame", .integer(frames.range.lowerBound))]
    }

    private static func facts(_ video: VideoInfo, _ clip: ClipInformation) -> [(String, JSONNode)] {
        [
            ("container", .string(video.container)), ("seconds", .number(ifAny: clip.times.duration)),
            ("video_stream", .integer(video.chosen + 1)), ("video_streams", .integer(video.streams)),
            ("damage", video.damage.map { .object($0.members) } ?? .null),
        ]
    }

    private static func words(_ video: VideoInfo, _ clip: ClipInformation) -> [String: String?] {
        [
            "seconds": clip.times.duration.map { Formatting.fixed($0, 3) } ?? "unknown",
            "video_stream": video.streams > 1
                ? "\(video.chosen + 1) of \(video.streams), the default one or else the one that FFmpeg prefers" : nil,
            "video_streams": nil, "damage": video.damage?.text(frames: video.frames),
        ]
    }

    private static func config(_ file: String) throws -> Inspection {
        let configuration = try RunConfiguration.load(path: file, overrides: [])
        let layers: [LayerSummary]
        do { layers = try Classifier.layers(of: configuration.model, classes: exampleClasses) } catch let error as VidclassError {
            throw VidclassError.file(file, error.message, kind: error.kind)
        }
        return Inspection(
            facts: [
                ("kind", .string("config")), ("file", .string(file)), ("config", configuration.json),
                ("example_classes", .integer(exampleClasses)),
            ], table: table(layers),
            words: ["example_classes": "\(exampleClasses): a training has the classes of its data"])
    }

    /// Classes of the network of a configuration, which names none.
    private static let exampleClasses = 2

    private static func model(_ file: String) async throws -> Inspection {
        guard file.lowercased().hasSuffix(".safetensors"), let checkpoint = try Checkpoint.openIfOne(file) else {
            let weights = try await ImportedWeights.read(file, hdf5: Program.hdf5)
            return Inspection(
                facts: [
                    ("kind", .string("weights")), ("file", .string(file)), ("architecture", .string(weights.architecture.label)),
                    ("preprocessing", .string(weights.preprocessing.rawValue)), ("sha256", .string(weights.sha256)),
                ],
                table: (
                    "tensors", ["name", "shape"],
                    weights.tensors.map { [.string($0.name), .string($0.tensor.shape.description)] }
                ))
        }
        let configuration = try RunConfiguration(json: checkpoint.config, source: file)
        return Inspection(
            facts: [
                ("kind", .string("checkpoint")), ("file", .string(file)), ("classes", .array(checkpoint.classes.map { .string($0) })),
                ("resumable", .bool(checkpoint.state != nil)), ("checksum", .string(checkpoint.checksum)), ("config", configuration.json),
            ],
            table: ("tensors", ["name", "shape"], checkpoint.tensors.map { [.string($0.name), .string($0.shapeText)] }))
    }

    private static func table(_ layers: [LayerSummary]) -> (String, [String], [[JSONNode]]) {
        (
            "layers", ["name", "type", "output", "parameters", "trainable"],
            layers.map {
                [
                    .string($0.name), .string($0.type), .string($0.outputShape.description), .integer($0.parameters),
                    .bool($0.isTrainable && $0.parameters > 0),
                ]
            }
        )
    }

    var document: JSONNode {
        var members = facts
        if let table {
            let rows = table.rows.map { JSONNode.object(Array(zip(table.columns, $0))) }
            members.append((table.key, .array(rows)))
        }
        return .object(members)
    }

    var text: String {
        let style = OutputStyle.standardOutput
        let lines = facts.filter { $0.0 != "config" }.compactMap { key, value in
            (words[key] ?? Inspection.plain(value)).map { (key, $0.printable) }
        }
        var text = FittedTable.facts(lines, style: style)
        if let config = facts.first(where: { $0.0 == "config" }) { text += "config " + config.1.text(pretty: true) + "\n" }
        if let table {
            let columns = table.columns.enumerated().map { column, title in
                FittedTable.Column(title, table.rows.map { Inspection.plain($0[column]).printable }, rank: 0, isFlexible: true)
            }
            text += "\n" + FittedTable.text(columns, style: style)
        }
        return text
    }

    /// A string without its quotes, a list of strings with commas, anything else as JSON.
    private static func plain(_ node: JSONNode) -> String {
        switch node.value {
        case .string(let text): text
        case .array(let elements): elements.map(plain).joined(separator: ", ")
        default: node.text(pretty: false)
        }
    }
}
