import VidSystem

/// Files of weights that only Python reads, and the command that converts each kind.
enum ForeignWeights {
    /// The error for a file that begins with `start`; nil if it is of none of these kinds.
    static func error(for file: RegularFile, _ start: [UInt8]) throws -> VidclassError? {
        if start.starts(with: [0x80, 0x02]) { return pyTorch(file.path, "a Python pickle, such as PyTorch's older .pth files") }
        guard start.starts(with: [0x50, 0x4B, 0x03, 0x04]) else { return nil }
        // A ZIP archive; the name of its first file follows 30 bytes.
        let head = try file.bytes(at: 0, count: min(512, file.size))
        let length = head.count >= 30 ? Int(head[26]) | Int(head[27]) << 8 : 0
        let name = String(decoding: head.dropFirst(30).prefix(length), as: UTF8.self)
        if name == "metadata.json" || name == "config.json" { return keras(file.path) }
        if name.hasSuffix(".npy") {
            return .file(
                file.path, "an archive of NumPy arrays (.npz); save them with safetensors.numpy.save_file, under the names of the layers")
        }
        return pyTorch(file.path, "a ZIP archive, such as PyTorch's .pth and .pt files")
    }

    /// - Parameter found: what the file is.
    private static func pyTorch(_ path: String, _ found: String) -> VidclassError {
        func python(_ load: String) -> String {
            let program =
                "import sys, torch; from safetensors.torch import save_file; \(load); "
                + "save_file({k: v.contiguous().clone() for k, v in s.items()}, sys.argv[2])"
            return "  " + ShellText.command(["python3", "-c", program, ShellText.path(path), ShellText.path(target(path, ".safetensors"))])
        }
        return .file(
            path, "\(found), which can run any program when it is read; convert it with Python's packages torch and safetensors",
            advice: [
                "A state dict, that is tensors by name:",
                python("s = torch.load(sys.argv[1], \"cpu\", weights_only=True); s = s.get(\"state_dict\", s)"),
                "A whole model, which runs what is in the file, so only from somebody you trust:",
                python("s = torch.load(sys.argv[1], \"cpu\", weights_only=False).state_dict()"),
                "Then import it:",
                "  " + ShellText.vidclass("weights", "import", ShellText.path(target(path, ".safetensors"))),
            ])
    }

    private static func keras(_ path: String) -> VidclassError {
        let program = "import sys, keras; keras.models.load_model(sys.argv[1]).save_weights(sys.argv[2])"
        let weights = ShellText.path(target(path, ".weights.h5"))
        return .file(
            path, "a Keras model (.keras); save its weights with Keras",
            advice: [
                "  " + ShellText.command(["python3", "-c", program, ShellText.path(path), weights]), "Then import them:",
                "  " + ShellText.vidclass("weights", "import", weights),
            ])
    }

    /// The name of the converted file, in the working folder.
    private static func target(_ path: String, _ ending: String) -> String { PathText.stem(PathText.name(path)) + ending }
}
