/// How a sound file becomes a clip: a log-mel spectrogram, under librosa's names. The number of mel bands is
/// `model.input.rows`; `model.input.columns` steps of the spectrogram are a frame.
package struct AudioConfiguration: ConfigurationSection {
    /// Samples a second that the sound is brought to.
    package var sampleRate = 16000
    /// Samples of a Fourier transform and of its Hann window.
    package var fftSize = 1024
    /// Samples from one transform to the next.
    package var hopLength = 256
    /// Of the lowest and the highest mel band, in hertz; nil: half the sample rate.
    package var minimumFrequency = 0.0
    package var maximumFrequency: Double?
    /// Decibels below the loudest that are told apart.
    package var topDecibels = 80.0

    package init() {}
}

extension AudioConfiguration {
    package static let fields: [ConfigurationField<Self>] = [
        .init("sample_rate", \.sampleRate, .integer(1000...384_000), "Samples a second that sound is brought to."),
        .init("n_fft", \.fftSize, .integer(16...65536), "Samples of a Fourier transform and of its Hann window."),
        .init("hop_length", \.hopLength, .integer(1...65536), "Samples from one column of the spectrogram to the next."),
        .init("fmin", \.minimumFrequency, .number(.atLeast(0)), "Lowest frequency of the mel bands, in hertz; model.input.rows bands."),
        .init(
            "fmax", \.maximumFrequency, .nullable(.number(.above(0))),
            "Highest frequency of the mel bands, in hertz; null: half the sample rate."),
        .init("top_db", \.topDecibels, .number(.above(0)), "Decibels below the loudest that are told apart."),
    ]
}
