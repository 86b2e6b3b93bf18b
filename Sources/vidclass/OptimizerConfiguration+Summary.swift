import VidConfig

extension OptimizerConfiguration {
    /// "nadam, learning rate 0.002, clip norm 1.0".
    var summary: String {
        var text = "\(type.rawValue), learning rate \(learningRate)"
        if let clipNorm { text += ", clip norm \(clipNorm)" }
        if weightDecay > 0 { text += ", weight decay \(weightDecay)" }
        return text
    }
}
