import VidConfig
import VidTensor

extension Preprocessing {
    /// The rule of a configuration's `data.preprocessing` for frames of so many channels.
    package init(_ preprocessing: PreprocessingName, channels: Int) {
        self =
            switch preprocessing {
            case .caffe: .caffe(channels: channels)
            case .torch: .torch(channels: channels)
            case .unit: .unit(channels: channels)
            case .symmetric: .symmetric(channels: channels)
            case .none: .none(channels: channels)
            }
    }
}
