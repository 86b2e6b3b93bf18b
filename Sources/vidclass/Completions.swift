import ArgumentParser
import VidConfig
import VidData

extension CompletionKind {
    /// Clips by their extensions, and folders.
    static var clips: CompletionKind {
        .file(extensions: ["bin", "npy"] + ClipFormat.videoExtensions.sorted() + ClipFormat.soundExtensions.sorted())
    }

    static var checkpoints: CompletionKind { .file(extensions: ["safetensors"]) }

    static var configs: CompletionKind { .file(extensions: ["json"]) }

    /// The keys of the configuration, each with its "="; in lists those of the first element.
    static var configurationKeys: CompletionKind {
        .list(ConfigurationReference.keyPaths.map { $0.replacing(".N", with: ".0") + "=" })
    }
}
