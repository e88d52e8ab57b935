import { useState } from 'react';
import { createRoot } from 'react-dom/client';
import { PhotoProcessor } from 'photo-processor';
import 'photo-processor/styles.css';

function App() {
  const [last, setLast] = useState('Nothing yet.');
  return (
    <>
      <h1>Product photos</h1>
      <PhotoProcessor
        endpoint={import.meta.env.VITE_PHOTO_URL ?? ''}
        presets={['cutout', 'cutout_white']}
        onFileComplete={(file) => setLast(`${file.name}: ${file.status}`)}
        onComplete={(job) => setLast(`Finished: ${job.progress.succeeded} of ${job.progress.total}`)}
        onError={(fault) => setLast(`${fault.code}: ${fault.message}`)}
      />
      <p id="last">{last}</p>
    </>
  );
}

createRoot(document.getElementById('root')).render(<App />);
