/** Nothing is to be done yet; a runner calls `post.js` only where this has run. */
console.log(`at the end of the job, also of one that is cancelled: sweep --nights ${process.env.INPUT_NIGHTS}`);
