import VidConfig
import VidData
import VidModel
import VidTensor

/// Turns clips into tensors.
package enum Batch {
    /// Writes the preprocessed frames of `clips` into `frames` (B x T, H, W, C).
    static func convert(
        _ clips: [LoadedClip], _ classifier: Classifier, _ preprocessing: PreprocessingName, into frames: Tensor, _ context: Context
    ) {
        let steps = classifier.frames
        for (index, loaded) in clips.enumerated() {
            convert(loaded.clip, classifier, preprocessing, into: frames.rows(index * steps..<(index + 1) * steps), context)
        }
    }

    /// The same for any number of frames: `frames` is (N, H, W, C).
    static func convert(
        _ clip: Clip, _ classifier: Classifier, _ preprocessing: PreprocessingName, into frames: Tensor, _ context: Context
    ) {
        let rule = Preprocessing(preprocessing, channels: classifier.frameShape[2])
        switch clip.pixels {
        case .bytes(let values): PixelConversion.convert(bytes: values, rule: rule, into: frames, workers: context.workers)
        case .floats(let values): PixelConversion.convert(floats: values, rule: rule, into: frames, workers: context.workers)
        }
    }

    /// A mask (B, T): 1 for frames, 0 for padding; nil where no clip is padded.
    static func mask(_ validFrames: [Int], steps: Int, _ workspace: Workspace) -> Tensor? {
        guard validFrames.contains(where: { $0 < steps }) else { return nil }
        let mask = workspace.take([validFrames.count, steps])
        for (row, valid) in validFrames.enumerated() {
            for step in 0..<steps { mask.base[row * steps + step] = step < valid ? 1 : 0 }
        }
        return mask
    }
}
