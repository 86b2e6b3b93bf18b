import ArgumentParser
import VidConfig
import VidData
import VidReport
import VidRun
import VidSystem

struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Show which frames and which regions led the model to a class.",
        usage: "vidclass explain <inputs> ... [--checkpoint <file>] [<options>]",
        discussion: """
            Draws a clip's frames and, under each, the same frame with its heat map: where the model looked (Grad-CAM on the last \
            convolution, through the recurrent layers). Each map has its own scale. The bar below shows how much the frame counted: \
            its share, with what it adds to the class's score or takes from it in brackets (integrated gradients). What the frames add \
            sums to the raw score (logit) minus that of a blank clip. A frame with a share of 0 % has no map. For a model of vectors over time there is no picture: the text lists the frames and the \
            features that count most. The picture shows what \
            the model looked at, which is not always what it should have looked at.

              vidclass explain holiday.mp4
              vidclass explain holiday.mp4 --class beach --against desert --animation
              vidclass explain clips --output why --json
              vidclass explain clip.bin --checkpoint runs/train/weights/best.safetensors --output clip.webp

            An input that fails is named on standard error; the others are explained, and the command ends with 65. If all inputs \
            fail in the same way, it ends with the code of a single one, such as 66 for missing files. JSON is an array with one object per input: "input", "class" and "against" (the explained class, and the one it is \
            compared with or null), "predictions" (label, score; best first), "score" and "baseline" (logits of the clip and with \
            nothing seen), "picture" and "animation" (files, or null), and "samples", one for each part of the clip that the \
            model looks at, with "frames": "frame" (its number in the file, from 0), "seconds" (null if the frame rate is unknown), \
            "contribution", "share" (of the sizes of all contributions, 0 to 1) and "map" (rows of the heat map, in the same unit for \
            all frames; for vectors "features" instead, what each feature of the frame adds; "feature_names" if data.feature_names names them). An input that fails has "input", an empty "predictions" and "error".
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, json
    }

    @Argument(help: "Videos, sounds, folders of numbered pictures, .bin or .npy clips, or folders of them.")
    var inputs: [String]

    @OptionGroup var model: CheckpointOptions

    @Option(name: .customLong("class"), help: ArgumentHelp("The class to explain; by default the likeliest one.", valueName: "label"))
    var target: String?

    @Option(help: ArgumentHelp("Explain why the class rather than this one.", valueName: "label"))
    var against: String?

    @Option(
        help: ArgumentHelp(
            "The place of the pictures: a folder, or for one input a .png, .gif, .webp, .apng or .mp4; by default <input>-explain.png in the working folder.",
            valueName: "path"))
    var output: String?

    @Flag(help: "Also write an animation, <input>-explain.gif (needs ffmpeg).")
    var animation = false

    @Option(help: "The output format; by default text.")
    var format: Format?

    @OptionGroup var document: JSONOptions

    @OptionGroup var threads: ThreadOptions

    func validate() throws {
        if let target, target == against { throw ValidationError("--class and --against are the same class, \(target).") }
        if document.json, format == .text { throw ValidationError("--json is --format json; choose one format.") }
    }

    func run() async throws {
        let saved = try model.open()
        guard saved.configuration.model.input.features == nil || (output == nil && !animation) else {
            throw ValidationError("This is a model of vectors, of which there are no pictures: leave out --output and --animation.")
        }
        let target = try target.map { try saved.classNumber($0, option: "--class") }
        let against = try against.map { try saved.classNumber($0, option: "--against") }
        let all = PredictionInputs(inputs, readsStandardInput: false)
        let isText = !document.json && format != .json
        var files = try ExplanationFiles(output: output, inputs: all.paths, withAnimation: animation)
        let predictor = try InputExplanation.predictor(saved, threads.makeWorkers())
        let writer = AnimationWriter()
        let bar = ProgressBar(quiet: all.inputs.count == 1)
        defer { bar.clear() }
        var failures = InputFailures()
        var array = JSONArrayOutput()
        var isFirst = true
        for (index, input) in all.inputs.enumerated() {
            bar.update("explain", done: index, total: all.inputs.count, detail: "\(index)/\(all.inputs.count) inputs")
            var result: InputExplanation
            let places: ExplanationFiles.Paths
            do {
                let path = all.paths[try input.clip.get()]
                result = try await InputExplanation(path, saved, predictor, target: target, against: against)
                places = result.isOfVectors ? ExplanationFiles.Paths() : try files.next(for: path)
            } catch let error as VidclassError {
                bar.clear()
                if !isText { try array.prepare() }
                failures.add(error)
                if !isText { _ = try array.add(InputExplanation.document(of: error, input: input.name)) }
                continue
            }
            // A failure here is not the input's fault and ends the command.
            try await result.write(to: places, title: result.title, subtitle: result.subtitle, writer)
            bar.clear()
            if isText {
                try Terminal.output((isFirst ? "" : "\n") + result.text)
                isFirst = false
            } else {
                _ = try array.add(result.document)
            }
        }
        bar.clear()
        if !isText { _ = try array.finish() }
        try failures.finish(of: all.inputs.count, "could not be explained")
    }
}
