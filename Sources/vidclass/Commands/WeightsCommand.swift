import ArgumentParser
import VidCheckpoint
import VidConfig
import VidReport
import VidSystem

extension PreprocessingName: ExpressibleByArgument {}

struct WeightsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "weights",
        abstract: "Fetch, import and list pretrained weights for the CNN.",
        discussion: """
            The weights are in $XDG_CACHE_HOME/vidclass/weights, or ~/.cache/vidclass/weights.

              vidclass weights fetch vgg16
              vidclass weights import vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5
              vidclass weights list
            """,
        subcommands: [WeightsFetchCommand.self, WeightsImportCommand.self, WeightsListCommand.self],
        defaultSubcommand: WeightsListCommand.self)
}

struct WeightsFetchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fetch",
        abstract: "Download ImageNet weights into the cache, or tell how to get them.",
        discussion: """
            Keras's official files are downloaded from its server and verified; partial downloads are resumed. For the other \
            networks, the command tells which file its makers publish, and how to save and import it.

              vidclass weights fetch vgg16
              vidclass weights fetch mobilenet_v2_keras
            """)

    @Argument(
        help: """
            An architecture. \(WeightsSource.all.map(\.name).dropLast().joined(separator: ", ")) and \
            \(WeightsSource.all.last?.name ?? "") are downloaded.
            """, completion: .list(NamedArchitecture.allCases.map(\.rawValue)))
    var name: String

    func run() async throws {
        let bar = ProgressBar()
        guard let source = WeightsSource.named(name) else { throw WeightsFetchCommand.elsewhere(name) }
        defer { bar.clear() }
        let path: String
        do {
            path = try await WeightsDownload(WeightsLibrary(hdf5: Program.hdf5)).fetch(source) { received, total in
                let whole = total.map { " of \(Formatting.bytes($0))" } ?? ""
                bar.update("fetch", done: received, total: total ?? source.maximumBytes, detail: Formatting.bytes(received) + whole)
            }
        } catch var error as VidclassError where error.kind == .inputOutput && error.advice.isEmpty {
            error.advice = [
                "If this machine is offline, download the file on another one, copy it here and import it:",
                "  " + ShellText.vidclass("weights", "import", "FILE"),
            ]
            throw error
        }
        bar.clear()
        if source.md5 == nil { Terminal.note(Terminal.fitted("note: Keras publishes no checksum of this file; its tensors were checked")) }
        try Terminal.output("\(path.printable)\n")
    }

    /// How to get the weights of a network that is not downloaded, or which networks there are.
    private static func elsewhere(_ name: String) -> VidclassError {
        guard let weights = NamedArchitecture(rawValue: name).flatMap(PythonWeights.init) else {
            let names = NamedArchitecture.allCases.map(\.rawValue)
            let nearest = nearestWord(to: name, among: names).map { "; did you mean \($0)?" } ?? ""
            return VidclassError(
                .usage, "there are no weights named \"\(name.printable)\"\(nearest)",
                advice: ["Known names: " + names.joined(separator: ", ")])
        }
        let file = "\(name).safetensors"
        // Several of timm's networks have the same tensors.
        let words = ["weights", "import", file] + (weights.package == "timm" ? ["--architecture", name] : [])
        var advice = [
            "With Python's packages \(weights.package) and safetensors, save them, then import the file:",
            "  " + weights.command(file), "  " + ShellText.vidclass(words),
        ]
        if let keras = WeightsSource.all.first(where: { $0.name == name + "_keras" }) {
            advice += [
                "Keras's network of this kind, \(keras.name), is downloaded:", "  " + ShellText.vidclass("weights", "fetch", keras.name),
            ]
        }
        return VidclassError(
            .usage, "\(name): not downloaded by vidclass; \(weights.package) publishes these weights as \(weights.fileName)", advice: advice
        )
    }
}

struct WeightsImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Import weights of a CNN from Keras (.h5, .weights.h5, .keras), torchvision (.safetensors) or `export` into the cache.",
        usage: "vidclass weights import <file> [--name <name>] [<options>]",
        discussion: """
            The .keras and .onnx files of `export` are taken back if their network has a name or is a VGG of blocks. \
            The weights are checked, and run on a test picture: a warning tells if the features are all zero or enormous. Other weights \
            of the same name are kept, unless you add --replace. PyTorch's .pth files are refused with the command that converts them.

              vidclass weights import vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5
              vidclass weights import my-vgg.safetensors --name mine
              vidclass weights import model.safetensors --architecture tf_efficientnet_b0
            """)

    @Argument(help: "The weights file.", completion: .file(extensions: ["h5", "hdf5", "keras", "onnx", "safetensors"]))
    var file: String

    @Option(help: ArgumentHelp("Their name in a config's model.cnn.weights.", valueName: "name"))
    var name = "imagenet"

    @Option(
        help: ArgumentHelp(
            """
            The network, where several have the same tensors. timm's efficientnet_b0 pads as PyTorch, its tf_efficientnet_b0 as TensorFlow. \
            timm's tf_efficientnet_lite0 is efficientnet_lite0 here, and its efficientnet_lite0 is timm_efficientnet_lite0.
            """,
            valueName: "name"), completion: .list(NamedArchitecture.allCases.map(\.rawValue)))
    var architecture: NamedArchitecture?

    @Option(help: ArgumentHelp("The preprocessing that they were trained with, if it is not the usual one.", valueName: "name"))
    var preprocessing: PreprocessingName?

    @Flag(help: "Replace other weights of the same name.")
    var replace = false

    func run() async throws {
        if name == "imagenet", file.lowercased().hasSuffix(".safetensors"), try Checkpoint.openIfOne(file) != nil {
            throw VidclassError(
                .usage,
                "\(file.printable) is a training's checkpoint, not ImageNet's weights; give it another name with --name, or use its path as model.cnn.weights"
            )
        }
        let (listing, assumption, warning) = try await WeightsLibrary(hdf5: Program.hdf5).importFile(
            file, as: name, replaces: replace, architecture: architecture, preprocessing: preprocessing)
        if let assumption { Terminal.note(Terminal.fitted("note: \(assumption)")) }
        if let warning { Terminal.note(Terminal.fitted("warning: \(warning)")) }
        try Terminal.output(WeightsListCommand.text([listing]))
    }
}

struct WeightsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the available weights.",
        discussion: """
              vidclass weights list
              vidclass weights list --json
            """)

    @OptionGroup var output: JSONOptions

    func run() async throws {
        let library = WeightsLibrary(hdf5: Program.hdf5)
        let entries = await library.list()
        if entries.isEmpty, !output.json {
            Terminal.note(
                Terminal.fitted(
                    "no weights in \(library.weightsFolder) or \(library.kerasFolder). Get some with "
                        + "`\(ShellText.vidclass("weights", "fetch", "vgg16"))`."))
        } else {
            try output.print(WeightsListCommand.text(entries), .array(entries.map(WeightsListCommand.document)))
        }
    }

    /// One line per file: name, architecture, preprocessing, size, path or why it cannot be used.
    static func text(_ entries: [WeightsListing]) -> String {
        FittedTable.text(
            [
                .init("name", entries.map { $0.name ?? "-" }, rank: 0), .init("network", entries.map { $0.architecture ?? "?" }, rank: 0),
                .init("preprocessing", entries.map { $0.preprocessing?.rawValue ?? "?" }, rank: 2),
                .init("size", entries.map { Formatting.bytes($0.bytes) }, isRight: true, rank: 1),
                .init("file", entries.map { ($0.fault.map { "cannot be used: " + $0 } ?? $0.path).printable }, rank: 0, isFlexible: true),
            ], style: .standardOutput)
    }

    private static func document(_ entry: WeightsListing) -> JSONNode {
        return .object([
            ("name", .string(ifAny: entry.name)), ("architecture", .string(ifAny: entry.architecture)),
            ("preprocessing", .string(ifAny: entry.preprocessing?.rawValue)), ("bytes", .integer(entry.bytes)),
            ("path", .string(entry.path)),
            ("sha256", .string(ifAny: entry.sha256)), ("fault", .string(ifAny: entry.fault)),
        ])
    }
}
