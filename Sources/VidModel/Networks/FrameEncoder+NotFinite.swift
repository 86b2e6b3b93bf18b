import VidTensor

extension FrameEncoder {
    /// The name of the first layer whose output for one of the frames (N, H, W, C) holds a number that is not finite; nil
    /// where all are finite. For finding out what went wrong: frame by frame, slowly.
    package func firstNotFinite(frames: Tensor, _ context: Context) -> String? {
        var first = layers.count
        for frame in 0..<frames.shape[0] {
            let mark = context.workspace.mark
            defer { context.workspace.release(to: mark) }
            var maps = frames.rows(frame..<frame + 1)
            for index in 0..<first {
                let output = context.workspace.take(shapes[index].prepending(1))
                layers[index].forward(maps, into: output, context)
                maps = output
                if !Reductions.sumOfSquares(output, context.workers).isFinite {
                    first = index
                    break
                }
            }
        }
        return first < layers.count ? layers[first].name : nil
    }
}
