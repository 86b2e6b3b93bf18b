internal import Synchronization
internal import VidData
internal import VidRun
internal import VidSystem
internal import VidTensor
internal import VidTrain

/// Classifies clips with a trained model, whose weights and scratch memory it holds.
///
/// A predictor may be used from several threads and tasks: their clips are loaded at the same time and computed one after the other, each
/// by all of the predictor's threads. Several predictors compute at the same time. Scores depend neither on the number of threads nor on
/// the other calls, to the last bit.
public final class Predictor: Sendable {
    public let checkpoint: Checkpoint
    private let loader: ClipLoader
    private let views: [ClipView]
    private let engine: Mutex<Engine>

    private struct Engine {
        let saved: SavedModel
        let predictor: VidTrain.Predictor
    }

    /// Loads the weights, and finds all the memory that predictions will take.
    ///
    /// - Parameters:
    ///   - checkpoint: the model.
    ///   - threads: computing threads, from 1 to 1024, the calling one included; nil for the number of processors.
    /// - Throws: ``VidClassError`` with `.badData` if the model does not fit into memory or the file has changed, `.other` if memory runs
    ///   out,
    ///   `.usage` for an impossible number of threads.
    public init(_ checkpoint: Checkpoint, threads: Int? = nil) throws {
        ReaderProgram.register()
        let workers = try Workers.ofHost(threads)
        let (loader, views, engine) = try VidClassError.translating {
            let saved = try SavedModel(path: checkpoint.path)
            guard saved.checksum == checkpoint.checksum else {
                throw VidclassError.file(checkpoint.path, "the file was replaced while it was opened; open the checkpoint again")
            }
            let (loader, views) = (saved.loader, saved.evaluationViews)
            let predictor = try saved.predictor(for: .scores, loadedClips: views.count, workers)
            return (loader, views, Engine(saved: saved, predictor: predictor))
        }
        (self.checkpoint, self.loader, self.views) = (checkpoint, loader, views)
        self.engine = Mutex(engine)
    }

    /// Classifies frames in memory, on the calling thread and the predictor's others.
    ///
    /// - Parameter frames: any number of frames with the channels, rows and columns of ``Checkpoint/input``: they are not resized.
    /// - Throws: ``VidClassError`` with `.badData` for frames of another size, for too few of them if `data.short_clips` is `error`, and
    ///   if the scores are not finite.
    public func predict(_ frames: Frames) throws -> Prediction {
        let (expected, found) = (checkpoint.input, frames.shape)
        guard
            (found.channels, found.rows, found.columns, found.isVectors)
                == (expected.channels, expected.rows, expected.columns, expected.isVectors)
        else {
            let axes = expected.isVectors ? "(frames, features)" : "(frames, channels, rows, columns)"
            throw VidClassError(
                .badData, "the frames: expected \(axes) like \(expected) with any number of frames, found \(found); resize them before")
        }
        return try VidClassError.translating {
            let samples = try views.map { try loader.sample($0, of: frames.clip, from: 0, path: "the frames") }
            return try prediction(of: samples, input: "the frames", file: nil)
        }
    }

    /// Classifies a video, a folder of numbered pictures, a sound, or a `.bin` or `.npy` clip, as `vidclass predict` does.
    ///
    /// Videos, pictures and sounds are read by ``VidClass/program`` and resized to the model's input.
    ///
    /// - Parameter path: the file; for a part of it, `video.mp4#t=2,6` in seconds or `video.mp4#frame=10,90` in frames.
    /// - Throws: ``VidClassError`` with `.missingInput` if it or the program is not there, `.badData` if it is no clip, is damaged or
    ///   hostile, or does not fit the model; `CancellationError`.
    public func predict(file path: String) async throws -> Prediction {
        try await VidClassError.translating {
            let samples = try await loader.loadAll(path, views: views)
            return try prediction(of: samples, input: path, file: path)
        }
    }

    private func prediction(of samples: [LoadedClip], input: String, file: String?) throws -> Prediction {
        try engine.withLock { engine in
            let (scores, familiarity) = engine.saved.output(of: samples, by: engine.predictor)
            try engine.saved.requireFinite(scores, of: input)
            return Prediction(
                scores, classes: checkpoint.classes, isUnfamiliar: familiarity?.isUnfamiliar,
                remark: engine.saved.remark(on: samples, ofFile: file))
        }
    }
}
