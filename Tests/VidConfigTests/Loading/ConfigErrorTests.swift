import Foundation
import Testing
import VidConfig
import VidSystem
import VidTestSupport

@Suite("Errors in a configuration")
struct ConfigErrorTests {
    private static let quotedNames = NamedArchitecture.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")

    /// The text of a config file and the whole message.
    static let refused: [(String, String)] = [
        // Not JSON, not an object
        ("", "c.json:1:1: expected a value, found the end of the text"),
        ("{\n  // seed\n}", "c.json:2:3: expected a key in double quotes or '}', found '/' (JSON has no comments)"),
        ("[]", "c.json:1:1: expected an object, found an empty array"),
        (#"{"seed": 1, "seed": 2}"#, #"c.json:1:13: the key "seed" appears twice, first at line 1, column 2"#),
        // Unknown keys
        (
            "{\n  \"training\": { \"epoch\": 3 }\n}",
            #"c.json:2:17: training.epoch: unknown key; did you mean "epochs"? The keys here are epochs, batch_size, shards, shuffle, memory_gib, label_smoothing, class_weights, balanced_sampling, monitor, mode, target, early_stopping, reduce_lr_on_plateau, learning_rate_schedule, max_minutes, save_every_minutes, save_every_epochs"#
        ),
        (
            #"{"trainnig": {}}"#,
            #"c.json:1:2: trainnig: unknown key; did you mean "training"? The keys here are seed, model, optimizer, data, augmentation, training, stages, evaluation, output"#
        ),
        (
            #"{"epochs": 3}"#,
            "c.json:1:2: epochs: unknown key; did you mean training.epochs or stages.N.epochs? The keys here are seed, model, optimizer, data, augmentation, training, stages, evaluation, output"
        ),
        (
            #"{"units": 3}"#,
            "c.json:1:2: units: unknown key; did you mean model.recurrent.N.units or model.hidden.N.units?"
                + " The keys here are seed, model, optimizer, data, augmentation, training, stages, evaluation, output"
        ),
        (
            #"{"xyzzyx": 3}"#,
            "c.json:1:2: xyzzyx: unknown key. The keys here are seed, model, optimizer, data, augmentation, training, stages, evaluation, output"
        ),
        (
            #"{"data": {"$schema": "x"}}"#,
            "c.json:1:11: data.$schema: unknown key. The keys here are path, media, validation_split, test_split, preprocessing, short_clips, sampling, skip_bad_clips, damaged, deinterlace, frame_folder_fps, feature_names, leak_check, audio"
        ),
        (
            #"{"model": {"cnn": {"architecture": {"blocs": [[1]]}}}}"#,
            #"c.json:1:37: model.cnn.architecture.blocs: unknown key; did you mean "blocks"? The keys here are blocks, layers"#
        ),
        (
            #"{"a\nb\u009b\u2028c": 3}"#,
            #"c.json:1:2: a\nb\u{9b}\u{2028}c: unknown key. The keys here are seed, model, optimizer, data, augmentation, training, stages, evaluation, output"#
        ),
        // Wrong types
        (#"{"training": []}"#, "c.json:1:14: training: expected an object, found an empty array"),
        (#"{"training": {"epochs": "3"}}"#, #"c.json:1:25: training.epochs: expected an integer from 1 to 1000000, found the string "3""#),
        (#"{"training": {"epochs": 3.0}}"#, "c.json:1:25: training.epochs: expected an integer from 1 to 1000000, found 3.0"),
        (#"{"training": {"epochs": null}}"#, "c.json:1:25: training.epochs: expected an integer from 1 to 1000000, found null"),
        (#"{"training": {"shuffle": 1}}"#, "c.json:1:26: training.shuffle: expected true or false, found 1"),
        (#"{"training": {"shuffle": "true"}}"#, #"c.json:1:26: training.shuffle: expected true or false, found the string "true""#),
        (#"{"data": {"path": 3}}"#, "c.json:1:19: data.path: expected the path of a folder or a table, found 3"),
        (#"{"data": {"path": ""}}"#, #"c.json:1:19: data.path: expected the path of a folder or a table, found the string """#),
        (
            #"{"data": {"path": "a\u0000b"}}"#,
            #"c.json:1:19: data.path: expected the path of a folder or a table, found the string "a\u0000b""#
        ),
        (#"{"model": {"recurrent": {}}}"#, "c.json:1:25: model.recurrent: expected an array of layers, found an empty object"),
        (#"{"model": {"recurrent": ["lstm"]}}"#, #"c.json:1:26: model.recurrent.0: expected an object, found the string "lstm""#),
        (#"{"optimizer": "adam"}"#, #"c.json:1:15: optimizer: expected an object, found the string "adam""#),
        // Out of range
        (#"{"training": {"epochs": 0}}"#, "c.json:1:25: training.epochs: expected an integer from 1 to 1000000, found 0"),
        (#"{"seed": -1}"#, "c.json:1:10: seed: expected an integer from 0 to 9223372036854775807, found -1"),
        (#"{"model": {"input": {"frames": 0}}}"#, "c.json:1:32: model.input.frames: expected an integer from 1 to 65536, found 0"),
        (#"{"model": {"input": {"channels": 65}}}"#, "c.json:1:34: model.input.channels: expected an integer from 1 to 64, found 65"),
        (
            #"{"model": {"hidden": [{"type": "dense", "units": 0}]}}"#,
            "c.json:1:50: model.hidden.0.units: expected an integer from 1 to 65536, found 0"
        ),
        (
            #"{"model": {"hidden": [{"type": "dropout", "rate": 1}]}}"#,
            "c.json:1:51: model.hidden.0.rate: expected a number of at least 0 and below 1, found 1"
        ),
        (
            #"{"model": {"hidden": [{"type": "dropout", "rate": 0.999999999999}]}}"#,
            "c.json:1:51: model.hidden.0.rate: expected a number of at least 0 and below 1, found 0.999999999999"
        ),
        (#"{"optimizer": {"learning_rate": 0}}"#, "c.json:1:33: optimizer.learning_rate: expected a number above 0, found 0"),
        (#"{"optimizer": {"clip_norm": -1.5}}"#, "c.json:1:29: optimizer.clip_norm: expected a number above 0, or null, found -1.5"),
        (#"{"optimizer": {"clip_norm": 1e300}}"#, "c.json:1:29: optimizer.clip_norm: expected a number above 0, or null, found 1e+300"),
        (#"{"data": {"validation_split": 1}}"#, "c.json:1:31: data.validation_split: expected a number of at least 0 and below 1, found 1"),
        (
            #"{"output": {"name": "a/b"}}"#,
            #"c.json:1:21: output.name: expected a folder's name without "/", found the string "a/b""#
        ),
        (#"{"output": {"name": ".."}}"#, #"c.json:1:21: output.name: expected a folder's name without "/", found the string "..""#),
        // Words
        (
            #"{"data": {"preprocessing": "cafe"}}"#,
            #"c.json:1:28: data.preprocessing: expected one of "caffe", "torch", "unit", "symmetric", "none", found the string "cafe"; did you mean "caffe"?"#
        ),
        (
            #"{"data": {"short_clips": "padlast"}}"#,
            #"c.json:1:26: data.short_clips: expected one of "loop", "pad_last", "mask", "error", found the string "padlast"; did you mean "pad_last"?"#
        ),
        (
            #"{"data": {"preprocessing": null}}"#,
            #"c.json:1:28: data.preprocessing: expected one of "caffe", "torch", "unit", "symmetric", "none", found null"#
        ),
        (
            #"{"optimizer": {"type": "Nadam"}}"#,
            #"c.json:1:24: optimizer.type: expected one of "nadam", "adam", "sgd", "rmsprop", found the string "Nadam"; did you mean "nadam"?"#
        ),
        (
            #"{"model": {"cnn": {"architecture": "vgg-16"}}}"#,
            "c.json:1:36: model.cnn.architecture: expected one of \(quotedNames), {\"blocks\": [[32, 32], [64, 64]]} or "
                + #"{"layers": [{"type": "conv2d", "filters": 32}, ...]}, "#
                + #"found the string "vgg-16"; did you mean "vgg16"?"#
        ),
        (
            #"{"model": {"recurrent": [{"type": "lstn"}]}}"#,
            #"c.json:1:35: model.recurrent.0.type: expected one of "lstm", "gru", "conv1d", "attention", "layer_normalization", "batch_normalization", found the string "lstn"; did you mean "lstm"?"#
        ),
        (
            #"{"model": {"recurrent": [{"type": "lstm", "recurrent_activation": "tanh"}]}}"#,
            #"c.json:1:67: model.recurrent.0.recurrent_activation: expected one of "sigmoid", "hard_sigmoid", found the string "tanh""#
        ),
        (
            #"{"model": {"recurrent": [{"type": "conv1d", "kernel_size": 0}]}}"#,
            "c.json:1:60: model.recurrent.0.kernel_size: expected an integer from 1 to 1024, found 0"
        ),
        (
            #"{"model": {"recurrent": [{"type": "conv1d", "padding": "valid"}]}}"#,
            #"c.json:1:56: model.recurrent.0.padding: expected one of "same", "causal", found the string "valid""#
        ),
        (
            #"{"model": {"recurrent": [{"type": "attention", "num_heads": 0}]}}"#,
            "c.json:1:61: model.recurrent.0.num_heads: expected an integer from 1 to 1024, found 0"
        ),
        (
            #"{"model": {"recurrent": [{"type": "attention", "key_dim": 0}]}}"#,
            "c.json:1:59: model.recurrent.0.key_dim: expected an integer from 1 to 65536, or null, found 0"
        ),
        (
            #"{"model": {"recurrent": [{"type": "attention", "heads": 8}]}}"#,
            #"c.json:1:48: model.recurrent.0.heads: unknown key. The keys here are type, num_heads, key_dim, dropout, use_causal_mask"#
        ),
        (
            #"{"model": {"hidden": [{"type": "layer_normalization", "epsilon": 0}]}}"#,
            "c.json:1:66: model.hidden.0.epsilon: expected a number above 0, found 0"
        ),
        // Keys of another type
        (
            #"{"optimizer": {"momentum": 0.9}}"#,
            #"c.json:1:16: optimizer.momentum: does not belong to "nadam", only to "sgd". "#
                + #"The keys of "nadam" are type, learning_rate, beta_1, beta_2, epsilon, schedule_decay, clip_norm, weight_decay, exclude_from_weight_decay, gradient_accumulation_steps"#
        ),
        (
            #"{"optimizer": {"beta_1": 0.9, "type": "rmsprop"}}"#,
            #"c.json:1:16: optimizer.beta_1: does not belong to "rmsprop", only to "nadam", "adam". "#
                + #"The keys of "rmsprop" are type, learning_rate, epsilon, rho, clip_norm, weight_decay, exclude_from_weight_decay, gradient_accumulation_steps"#
        ),
        (
            #"{"model": {"hidden": [{"type": "dropout", "units": 3}]}}"#,
            #"c.json:1:43: model.hidden.0.units: does not belong to "dropout", only to "dense". The keys of "dropout" are type, rate"#
        ),
        (
            #"{"model": {"hidden": [{"type": "dropout", "rte": 3}]}}"#,
            #"c.json:1:43: model.hidden.0.rte: unknown key; did you mean "rate"? The keys here are type, rate"#
        ),
        (
            #"{"model": {"hidden": [{"units": 3}]}}"#,
            #"c.json:1:23: model.hidden.0: the key "type" is missing; it takes one of "dense", "dropout", "layer_normalization", "batch_normalization""#
        ),
        // Blocks
        (
            #"{"model": {"cnn": {"architecture": {}}}}"#,
            #"c.json:1:36: model.cnn.architecture: expected one of the keys "blocks" and "layers", found neither"#
        ),
        (
            #"{"model": {"cnn": {"architecture": {"blocks": []}}}}"#,
            "c.json:1:47: model.cnn.architecture.blocks: expected at least one block, found an empty array"
        ),
        (
            #"{"model": {"cnn": {"architecture": {"blocks": [[1], []]}}}}"#,
            "c.json:1:53: model.cnn.architecture.blocks.1: expected at least one filter count, found an empty array"
        ),
        (
            #"{"model": {"cnn": {"architecture": {"blocks": [[0]]}}}}"#,
            "c.json:1:49: model.cnn.architecture.blocks.0.0: expected an integer from 1 to 65536, found 0"
        ),
        (
            #"{"model": {"cnn": {"architecture": {"blocks": [8]}}}}"#,
            "c.json:1:48: model.cnn.architecture.blocks.0: expected an array of filter counts, found 8"
        ),
        // Across keys
        (
            #"{"data": {"validation_split": 0.5, "test_split": 0.5}}"#,
            "c.json:1:50: data.test_split: validation_split 0.5 and test_split 0.5 leave no clips to train on; their sum must be below 1"
        ),
        (
            #"{"model": {"cnn": {"architecture": {"blocks": [[8]]}, "weights": "imagenet"}}}"#,
            #"c.json:1:66: model.cnn.weights: "imagenet" weights exist for the named architectures only; "#
                + "set weights to null or to the path of a file"
        ),
        (
            #"{"model": {"cnn": {"architecture": {"blocks": [[8, 8], [8]]}, "weights": null, "trainable": "block2_conv2"}}}"#,
            #"c.json:1:93: model.cnn.trainable: expected true, false or one of "block1_conv1", "block1_conv2", "block2_conv1", "#
                + #"found the string "block2_conv2"; did you mean "block1_conv2"?"#
        ),
        (
            #"{"model": {"cnn": {"trainable": 1}}}"#,
            #"c.json:1:33: model.cnn.trainable: expected true, false or the name of the first layer to train such as "block5_conv1", found 1"#
        ),
        (
            #"{"model": {"input": {"rows": 31}}}"#,
            "c.json:1:30: model.input.rows: 31 rows are too few for vgg16 (layer block5_pool: its window has 2 rows, more than maps of 1x14x512 "
                + "have); expected at least 32"
        ),
        (
            #"{"optimizer": {"type": "sgd", "nesterov": true}}"#,
            "c.json:1:43: optimizer.nesterov: Nesterov's momentum needs a momentum above 0; add one, such as --set optimizer.momentum=0.9"
        ),
    ]

    @Test("Each names the place, the key, what was expected and what was found", arguments: refused)
    func messages(text: String, message: String) {
        expect(message, .badData) { try RunConfiguration(json: text, source: "c.json") }
    }

    /// A file of a megabyte could ask for half a million layers, and to look at them all takes hours.
    @Test("Lists have an end")
    func lists() {
        func list(_ element: String, _ count: Int) -> String { "[" + Array(repeating: element, count: count).joined(separator: ",") + "]" }
        let layers = list(#"{"type":"dropout"}"#, 257)
        for (text, place) in [
            (#"{"model":{"hidden":\#(layers)}}"#, "c.json:1:20: model.hidden"),
            (#"{"model":{"recurrent":\#(list(#"{"type":"lstm"}"#, 1000))}}"#, "c.json:1:23: model.recurrent"),
            (#"{"model":{"cnn":{"architecture":{"blocks":[\#(list("1", 400_000))]}}}}"#, "c.json:1:44: model.cnn.architecture.blocks.0"),
            (#"{"model":{"cnn":{"architecture":{"blocks":\#(list("[1]", 257))}}}}"#, "c.json:1:43: model.cnn.architecture.blocks"),
            (#"{"stages":\#(list("{}", 257))}"#, "c.json:1:11: stages"),
        ] {
            do {
                _ = try RunConfiguration(json: text, source: "c.json")
                Issue.record("taken: \(place)")
            } catch {
                #expect("\(error)".hasPrefix(place + ": expected at most 256 elements, found "), "\(error)")
            }
        }
        #expect(throws: Never.self) {
            try RunConfiguration(json: #"{"model":{"hidden":\#(list(#"{"type":"dropout"}"#, 256))}}"#, source: "c.json")
        }
    }

    @Test("Files that cannot be read")
    func files() throws {
        expect("/nowhere/c.json: no such file or folder", .missingInput) {
            try RunConfiguration.load(path: "/nowhere/c.json")
        }
        let folder = try TestFolder()
        expect("\(folder.path): expected a file, found a folder", .badData) {
            try RunConfiguration.load(path: folder.path)
        }
        expect("/dev/null: expected a file, found a pipe, socket or device", .badData) {
            try RunConfiguration.load(path: "/dev/null")
        }
        expect("/dev/zero: expected a file, found a pipe, socket or device", .badData) {
            try RunConfiguration.load(path: "/dev/zero")
        }
        let large = try folder.write("large.json", [UInt8](repeating: 0x20, count: 1 << 20 + 1))
        expect("\(large): it has 1048577 bytes; at most 1048576 are read", .badData) {
            try RunConfiguration.load(path: large)
        }
        // The bound itself is allowed.
        try folder.write("large.json", Array("{}".utf8) + [UInt8](repeating: 0x20, count: (1 << 20) - 2))
        #expect(try RunConfiguration.load(path: large) == RunConfiguration())
    }

    @Test("However long a name is, the message is not")
    func length() {
        let long = String(repeating: "x", count: 100_000)
        for text in [
            "{\"\(long)\": 1}", "{\"\(long)\": 1, \"\(long)\": 2}", "{\"data\": {\"preprocessing\": \"\(long)\"}}",
            "{\"seed\": 1\(long.utf8.map { _ in "0" }.joined())}",
        ] {
            do {
                _ = try RunConfiguration(json: text, source: "c.json")
                Issue.record("taken")
            } catch {
                #expect("\(error)".utf8.count < 300)
            }
        }
    }
}

/// Expects that `body` throws a `VidclassError` with this message and kind.
func expect(
    _ message: String, _ kind: VidclassError.Kind, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws -> RunConfiguration
) {
    do {
        _ = try body()
        Issue.record("accepted; expected: \(message)", sourceLocation: sourceLocation)
    } catch {
        #expect("\(error)" == message, sourceLocation: sourceLocation)
        #expect((error as? VidclassError)?.kind == kind, sourceLocation: sourceLocation)
    }
}
